"""A text that is put together from pieces, some of which have a meaning of their own: mentions, links, quotes."""

import re
from collections.abc import Callable
from itertools import islice
from typing import Any, Final, NamedTuple

from services.ingest.rawpost import MAX_TEXT_CODE_POINTS, SpanKind

MAX_PIECES: Final = 20_000
MAX_MARKUP_CHARACTERS: Final = 200_000
"""Far more than any of these networks lets people write, and than a post keeps."""


class Piece(NamedTuple):
    """What a person reads in one place, and what it means."""

    text: str
    kind: SpanKind | None = None
    target: str | None = None


class Spanned:
    """The text so far, with the spans of its pieces in code points of it."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self.spans: list[dict[str, Any]] = []

    @property
    def text(self) -> str:
        """The whole text."""
        return "".join(self._parts)

    def add(self, piece: Piece) -> None:
        """Go on with a piece; an empty one is nothing."""
        if not piece.text:
            return
        start = self._length
        self._parts.append(piece.text)
        self._length += len(piece.text)
        self.mark(start, piece.kind, piece.target)

    def new_line(self) -> None:
        """Go on at the beginning of a line."""
        if self._parts and not self._parts[-1].endswith("\n"):
            self.add(Piece("\n"))

    def mark(self, start: int, kind: SpanKind | None, target: str | None = None) -> None:
        """Give what was added since `start` a meaning, unless it lies where a post is cut."""
        if kind and start < self._length <= MAX_TEXT_CODE_POINTS:
            self.spans.append({"kind": kind, "start": start, "end": self._length, "target": target or None})

    @property
    def length(self) -> int:
        """The code points so far: where the next piece will start."""
        return self._length


def read_markup(
    text: str,
    token: "re.Pattern[str]",
    read: Callable[["re.Match[str]"], Piece],
    plain: Callable[[str], str] = str,
    into: Spanned | None = None,
) -> Spanned:
    """Read a markup whose tokens stand for pieces; `plain` undoes the escapes of what lies between them."""
    text, found, done = text[:MAX_MARKUP_CHARACTERS], Spanned() if into is None else into, 0
    for match in islice(token.finditer(text), MAX_PIECES):
        found.add(Piece(plain(text[done : match.start()])))
        found.add(read(match))
        done = match.end()
    found.add(Piece(plain(text[done:])))
    return found
