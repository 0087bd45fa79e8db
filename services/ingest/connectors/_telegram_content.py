"""What a message of Telegram says and shows, whatever kind of message it is."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from services.ingest.connectors._telegram_rich import rich_blocks, rich_text
from services.ingest.offsets import from_utf16
from services.ingest.payload import Node
from services.ingest.rawpost import MAX_TEXT_CODE_POINTS

_MEDIA: Final = {
    "photo": "image",
    "live_photo": "image",
    "sticker": "image",
    "video": "video",
    "animation": "video",
    "video_note": "video",
    "voice": "audio",
    "voice_note": "audio",
    "audio": "audio",
    "document": "file",
    "story": "file",
}
"""A story may be a photo or a video: Telegram gives bots nothing of it."""
_SPANS: Final = {
    "mention": "mention",
    "text_mention": "mention",
    "hashtag": "hashtag",
    "url": "link",
    "text_link": "link",
    "blockquote": "quote",
    "expandable_blockquote": "quote",
}


class Content(NamedTuple):
    """What of a message becomes its post."""

    text: str | None
    media: list[dict[str, Any]]
    spans: list[dict[str, Any]]


def content_of(message: Node) -> Content:
    """Read it; a service message has no content."""
    shown = [message, *message.at("paid_media", "paid_media"), *rich_blocks(message)]
    media = [each for part in shown for each in _media(part)]
    if text := message["text"].text() or message["caption"].text():
        return Content(text, media, list(_spans(message["entities"] or message["caption_entities"], text)))
    rich = rich_text(message)
    if rich.text.strip():
        return Content(rich.text, media, rich.spans)
    return Content("\n".join(_shared(message)) or None, media, [])


def _media(part: Node) -> Iterator[dict[str, Any]]:
    """Telegram gives file ids, which need the bot's token, and no addresses."""
    for name, kind in _MEDIA.items():
        if not part[name] or (name == "document" and part["animation"]):  # an animation is told as a document as well
            continue
        general = (part.at(name, "mime_type").text() or "").partition("/")[0]
        yield {
            "kind": general if name == "document" and general in ("image", "video", "audio") else kind,
            "alt_text": part.at(name, "emoji").text(),
            "duration_seconds": part.at(name, "duration").integer(),
        }


def _spans(entities: Node, text: str) -> Iterator[dict[str, Any]]:
    text = text[:MAX_TEXT_CODE_POINTS]
    at = from_utf16(text)
    for entity in entities:
        offset, length = entity["offset"].integer(), entity["length"].integer()
        kind = _SPANS.get(entity["type"].text() or "")
        if kind and offset is not None and length is not None and length > 0:
            start, end = at(offset), at(offset + length)
            yield {"kind": kind, "start": start, "end": end, "target": _target(entity, text[start:end])}


def _target(entity: Node, shown: str) -> str | None:
    if target := entity["url"].text() or entity.at("user", "id").id():
        return target
    return {"mention": shown.removeprefix("@"), "url": shown}.get(entity["type"].text() or "") or None


def _shared(message: Node) -> Iterator[str]:
    """In words what was shared instead of words: a poll, a place, a contact."""
    for part in (
        *_listed(message["poll"], "question", "options"),
        *_listed(message["checklist"], "title", "tasks"),
        *_fields(message["game"], "title", "description"),
        *_fields(message["invoice"], "title", "description"),
        *_place(message),
        *_contact(message["contact"]),
        message["dice"]["emoji"],
    ):
        if text := part.text():
            yield text


def _listed(asked: Node, head: str, entries: str) -> list[Node]:
    return [asked[head], *(entry["text"] for entry in asked[entries])]


def _fields(of: Node, *names: str) -> list[Node]:
    return [of[name] for name in names]


def _place(message: Node) -> list[Node]:
    """A venue has a name; a bare location only where it is."""
    if message["venue"]:
        return _fields(message["venue"], "title", "address")
    latitude, longitude = (message.at("location", name).number() for name in ("latitude", "longitude"))
    return [Node(f"{latitude}, {longitude}")] if latitude is not None and longitude is not None else []


def _contact(contact: Node) -> list[Node]:
    names = (contact["first_name"].text(), contact["last_name"].text(), contact["phone_number"].text())
    return [Node(" ".join(name for name in names if name))]
