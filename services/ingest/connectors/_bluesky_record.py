"""What Bluesky's records hold, in posts and in chats alike: facets and embeds."""

import re
from collections.abc import Iterator
from typing import Any, Final

from services.ingest.offsets import from_utf8
from services.ingest.payload import Node
from services.ingest.rawpost import MAX_TEXT_CODE_POINTS

_FEATURES: Final = {
    "app.bsky.richtext.facet#mention": ("mention", "did"),
    "app.bsky.richtext.facet#link": ("link", "uri"),
    "app.bsky.richtext.facet#tag": ("hashtag", "tag"),
}
_GIF: Final = re.compile(r"\.gif(\?|\Z)")
_MAX_TARGET_CHARACTERS: Final = 512


def spans_of(record: Node) -> Iterator[dict[str, Any]]:
    """Mentions, links and tags, which lie at bytes of the text in UTF-8."""
    at = from_utf8((record["text"].text() or "")[:MAX_TEXT_CODE_POINTS])
    for facet in record["facets"]:
        start, end = facet.at("index", "byteStart").integer(), facet.at("index", "byteEnd").integer()
        if start is None or end is None or start >= end:
            continue
        for feature in facet["features"]:
            kind, member = _FEATURES.get(feature["$type"].text() or "", (None, ""))
            if kind:
                yield {"kind": kind, "start": at(start), "end": at(end), "target": _target(feature[member].text())}


def media_of(embed: Node) -> Iterator[dict[str, Any]]:
    """What is embedded; views have addresses, records name blobs alone. A quoted post is none of it."""
    media = embed["media"] if embed["media"].is_object() else embed
    for image in media["images"]:
        url = image["fullsize"].text() or image["thumb"].text()
        yield {"kind": "image", "url": url, "alt_text": image["alt"].text()}
    if media["video"] or media["playlist"]:
        yield {"kind": "video", "url": media["playlist"].text(), "alt_text": media["alt"].text()}
    if uri := media.at("external", "uri").text():
        card = media["external"]
        kind = "image" if _GIF.search(uri) else "file"
        yield {"kind": kind, "url": uri, "alt_text": card["title"].text() or card["description"].text()}


def _target(target: str | None) -> str | None:
    return target if target and len(target) <= _MAX_TARGET_CHARACTERS else None
