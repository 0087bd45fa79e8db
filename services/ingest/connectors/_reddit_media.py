"""What Reddit's submissions and comments carry: an image, a gallery, a video, or a link."""

from collections.abc import Iterator
from typing import Any, Final

from services.ingest.payload import Node

SITE: Final = "https://www.reddit.com"
_VIDEO_HINTS: Final = frozenset({"hosted:video", "rich:video"})
_IMAGE_ENDS: Final = (".jpg", ".jpeg", ".png", ".gif", ".webp")
_IMAGE_HOSTS: Final = frozenset({"i.redd.it", "i.imgur.com"})


def media_of(data: Node) -> Iterator[dict[str, Any]]:
    """Everything of it, in its order."""
    if data["media_metadata"].is_object():
        yield from _files(data)
    elif data["is_video"].flag():
        yield _video(data)
    elif data["is_self"].flag() is False and (url := data["url"].text()):
        yield {"kind": _kind(data, url), "url": SITE + url if url.startswith("/") else url}


def _files(data: Node) -> Iterator[dict[str, Any]]:
    """Files by their ids; a gallery has an order and captions."""
    files = dict(data["media_metadata"].members())
    captions = {each["media_id"].id(): each["caption"].text() for each in data.at("gallery_data", "items")}
    for name in [each for each in captions if each in files] or files:
        source = files[name or ""]["s"]
        kind = "video" if files[name or ""]["e"].text() == "RedditVideo" else "image"
        url = source["u"].text() or source["gif"].text() or source["mp4"].text()
        yield {"kind": kind, "url": url, "alt_text": captions.get(name)}


def _video(data: Node) -> dict[str, Any]:
    video = data.at("secure_media", "reddit_video") or data.at("media", "reddit_video")
    url = video["fallback_url"].text() or data["url"].text()
    return {"kind": "video", "url": url, "duration_seconds": video["duration"].integer()}


def _kind(data: Node, url: str) -> str:
    """As Reddit took the link for; older answers do not tell."""
    hint = data["post_hint"].text()
    if hint == "image" or data["domain"].text() in _IMAGE_HOSTS or url.partition("?")[0].endswith(_IMAGE_ENDS):
        return "image"
    return "video" if hint in _VIDEO_HINTS else "file"
