"""The text of a Slack message as its readers see it: from mrkdwn, or from blocks where there is no text."""

import re
from collections.abc import Iterable
from typing import Final

from services.ingest.connectors._spanned import Piece, Spanned, read_markup
from services.ingest.payload import Node

_TOKEN: Final = re.compile(r"<([@#!]|[a-zA-Z][a-zA-Z0-9+.-]{1,31}:)([^<>|\n]{0,4000})(?:\|([^<>\n]{0,4000}))?>")
_MENTIONS: Final = {"@": "@", "#": "#", "!": "@"}
_MAX_DEPTH: Final = 12


def message_text(message: Node) -> Spanned:
    """`text`; where it is empty the blocks, and at last what is attached, such as a message that is passed on."""
    if text := message["text"].text():
        return _mrkdwn(text, Spanned())
    found = Spanned()
    _blocks(message["blocks"], found)
    if not found.text.strip():
        found = Spanned()
        for attachment in message["attachments"]:
            _line(attachment["text"].text() or attachment["fallback"].text(), found)
    return found


def _mrkdwn(text: str, into: Spanned) -> Spanned:
    return read_markup(text, _TOKEN, _piece, unescaped, into)


def unescaped(text: str) -> str:
    """Undo the three escapes of Slack."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _piece(match: "re.Match[str]") -> Piece:
    sign, name, label = match[1], unescaped(match[2]), unescaped(match[3] or "")
    if sign not in _MENTIONS:
        return Piece(label or sign + name, "link", sign + name)
    if sign == "!":
        return _special(name, label)
    shown = _MENTIONS[sign] + (label.removeprefix(_MENTIONS[sign]) or name)
    return Piece(shown, "mention", name) if sign == "@" else Piece(shown)


def _special(name: str, label: str) -> Piece:
    """A keyword such as <!here>, a group of users, or a date in the reader's own zone."""
    keyword, _, rest = name.partition("^")
    if keyword == "date":
        return Piece(label or rest)
    shown = label.removeprefix("@") or rest or keyword
    return Piece("@" + shown, "mention", rest or keyword)


def _line(mrkdwn: str | None, into: Spanned) -> None:
    """Go on in a line of its own."""
    if mrkdwn:
        into.new_line()
        _mrkdwn(mrkdwn, into)


def _blocks(blocks: Iterable[Node], into: Spanned) -> None:
    for block in blocks:
        if block["type"].text() == "rich_text":
            _rich(block["elements"], into, _MAX_DEPTH)
            continue
        for text in (block["text"], *block["fields"], *block["elements"]):
            _line(text.text() or text["text"].text(), into)


def _rich(elements: Iterable[Node], into: Spanned, depth: int) -> None:
    """Sections, lists, quotes and preformatted text, each a line of its own."""
    for element in elements if depth else ():
        kind = element["type"].text()
        if kind == "rich_text_list":
            _rich(element["elements"], into, depth - 1)
            continue
        into.new_line()
        start = into.length
        for leaf in element["elements"]:
            into.add(_leaf(leaf))
        into.mark(start, "quote" if kind == "rich_text_quote" else None)


def _leaf(leaf: Node) -> Piece:
    kind, text = leaf["type"].text(), leaf["text"].text() or ""
    if kind == "link":
        url = leaf["url"].text() or ""
        return Piece(text or url, "link", url)
    if kind in ("user", "usergroup", "broadcast"):
        name = leaf[f"{kind}_id"].id() or leaf["range"].text() or ""
        return Piece(f"@{name}", "mention", name)
    if kind == "channel":
        return Piece(f"#{leaf['channel_id'].id() or ''}")
    if kind == "emoji":
        return Piece(f":{leaf['name'].text() or ''}:")
    return Piece(text or leaf["fallback"].text() or leaf["value"].text() or "")
