"""The text of a Discord message as its readers see it, the markup of mentions, emoji and times undone; its media."""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final

from services.ingest.connectors._spanned import Piece, Spanned, read_markup
from services.ingest.payload import Node

_TOKEN: Final = re.compile(
    r"<(?:(?P<user>@!?)|(?P<role>@&)|(?P<channel>\#))(?P<id>\d{1,20})>"
    r"|<a?(?P<emoji>:\w{1,64}:)\d{1,20}>"
    r"|<t:(?P<time>-?\d{1,13})(?::[a-zA-Z])?>"
    r"|<(?P<command>/[^:<>\n]{1,200}):\d{1,20}>"
    r"|<(?P<link>https?://[^\s<>]{1,4000})>"
)


def message_text(message: Node) -> Spanned:
    """What somebody wrote, passed on, asked in a poll, or said in an embed."""
    found = Spanned()
    for said in (message, *_forwarded(message)):
        if content := said["content"].text():
            _line(content, said, found)
    if not found.text.strip():
        for text in (*_poll(message["poll"]), *_embeds(message)):
            _line(text, message, found)
    return found


def message_media(message: Node) -> list[dict[str, Any]]:
    """Attachments and stickers of the message, and of those that it passes on."""
    return [each for said in (message, *_forwarded(message)) for each in _media(said)]


def _forwarded(message: Node) -> list[Node]:
    return [snapshot["message"] for snapshot in message["message_snapshots"]]


def _line(content: str, message: Node, into: Spanned) -> None:
    """Go on in a line of its own; the names of those who are mentioned stand beside the text."""
    names = {
        str(user["id"].id()): user["global_name"].text() or user["username"].text() for user in message["mentions"]
    }
    names |= {str(channel["id"].id()): channel["name"].text() for channel in message["mention_channels"]}
    into.new_line()
    read_markup(content, _TOKEN, lambda match: _piece(match, names), into=into)


def _piece(match: "re.Match[str]", names: dict[str, str | None]) -> Piece:
    if number := match["id"]:
        shown = names.get(number) or number
        return Piece("#" + shown) if match["channel"] else Piece("@" + shown, "mention", number)
    if link := match["link"]:
        return Piece(link, "link", link)
    if seconds := match["time"]:
        time = Node(int(seconds)).seconds()
        return Piece(_shown(time) if time else match[0])
    return Piece(match["emoji"] or match["command"])


def _shown(time: datetime) -> str:
    """A time that each reader sees in a zone of their own."""
    return f"{time:%Y-%m-%d %H:%M} UTC"


def _poll(poll: Node) -> Iterator[str]:
    texts = (poll["question"], *(answer["poll_media"] for answer in poll["answers"]))
    return (text for each in texts if (text := each["text"].text()))


def _embeds(message: Node) -> Iterator[str]:
    """Only apps write embeds of type "rich"; the others are previews of links."""
    for embed in message["embeds"]:
        if embed["type"].text() in ("rich", None):
            yield from (text for part in ("title", "description") if (text := embed[part].text()))


def _media(message: Node) -> Iterator[dict[str, Any]]:
    for attachment in message["attachments"]:
        seconds = attachment["duration_secs"].number()
        general = (attachment["content_type"].text() or "").partition("/")[0]
        yield {
            "kind": general if general in ("image", "video", "audio") else "file",
            "url": attachment["url"].text(),
            "alt_text": attachment["description"].text(),
            "duration_seconds": round(seconds) if seconds is not None else None,
        }
    for sticker in message["sticker_items"]:
        yield {"kind": "image", "alt_text": sticker["name"].text()}
