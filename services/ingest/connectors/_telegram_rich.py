"""The text and the media of a rich message of Telegram, which is a tree of blocks."""

from collections.abc import Iterable, Iterator
from typing import Final

from services.ingest.connectors._spanned import Piece, Spanned
from services.ingest.payload import Node
from services.ingest.rawpost import SpanKind

_MAX_DEPTH: Final = 16
_SPANS: Final[dict[str, SpanKind]] = {
    "mention": "mention",
    "text_mention": "mention",
    "hashtag": "hashtag",
    "url": "link",
}
_QUOTES: Final = {"blockquote", "pullquote"}


def rich_text(message: Node) -> Spanned:
    """What its blocks say, each in lines of its own."""
    found = Spanned()
    _read_blocks(message.at("rich_message", "blocks"), found, _MAX_DEPTH)
    return found


def rich_blocks(message: Node) -> Iterator[Node]:
    """Its blocks at every depth: each may hold a photo, a video, a sound."""
    return _descend(message.at("rich_message", "blocks"), _MAX_DEPTH)


def _descend(blocks: Iterable[Node], depth: int) -> Iterator[Node]:
    for block in blocks if depth else ():
        yield block
        for inner in (block, *block["items"]):
            yield from _descend(inner["blocks"], depth - 1)


def _read_blocks(blocks: Iterable[Node], into: Spanned, depth: int) -> None:
    for block in blocks if depth else ():
        into.new_line()
        start = into.length
        for part in (block["summary"], block["text"], block["expression"]):
            _read_line(part, into)
        for inner in (block, *block["items"]):
            _read_blocks(inner["blocks"], into, depth - 1)
        for row in block["cells"]:
            _read_row(row, into)
        for part in (block["caption"], block["credit"], block.at("caption", "credit")):
            _read_line(part, into)
        into.mark(start, "quote" if block["type"].text() in _QUOTES else None)


def _read_line(text: Node, into: Spanned) -> None:
    if text:
        into.new_line()
        _read(text, into, _MAX_DEPTH)


def _read_row(cells: Iterable[Node], into: Spanned) -> None:
    into.new_line()
    for number, cell in enumerate(cells):
        into.add(Piece("\t" if number else ""))
        _read(cell["text"], into, _MAX_DEPTH)


def _read(text: Node, into: Spanned, depth: int) -> None:
    """A rich text is a text, a list of rich texts, or an object around one."""
    if not depth:
        return
    if plain := text.text():
        into.add(Piece(plain))
    for each in text:
        _read(each, into, depth - 1)
    if text.is_object():
        start = into.length
        _read(text["text"] or text["alternative_text"] or text["expression"], into, depth - 1)
        target = text["url"].text() or text["username"].text() or text.at("user", "id").id()
        into.mark(start, _SPANS.get(text["type"].text() or ""), target)
