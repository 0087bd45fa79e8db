"""Texts to classify, as lines: JSON objects or plain text, read one at a time whatever the size of the file."""

import codecs
import io
import json
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple

import typer

from cli.errors import CommandError
from services.routing.judgement import Text
from services.routing.tokens import MAX_CHARACTERS
from services.routing.venues import venue_named

STANDARD_INPUT: Final = "-"
MOST_POSTS: Final = 5_000
"""From which a mix is learnt."""
LONGEST_LINE: Final = 16 * 1024 * 1024
"""In characters, far more than any network sends; a longer line is answered by an error and passed over."""
_JSON_ENDINGS: Final = frozenset({".jsonl", ".ndjson", ".json"})
_BYTE_ORDER_MARKS: Final = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_STARS: Final = (1, 5)
_SURROGATE: Final = re.compile("[\ud800-\udfff]")


class Line(NamedTuple):
    """One line that is not blank: its number, from 1, and its text or what is wrong with it."""

    number: int
    text: Text | str


def opened(file: str) -> AbstractContextManager[BinaryIO]:
    """A file, or standard input; raises CommandError where it cannot be read."""
    if file == STANDARD_INPUT:
        return nullcontext(typer.get_binary_stream("stdin"))
    try:
        return Path(file).open("rb")
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}") from error


class FirstTexts(NamedTuple):
    """The texts of the first lines, and how many of these lines hold none."""

    texts: list[Text]
    bad_lines: int


def first_texts(file: str, *, plain: bool = False) -> FirstTexts:
    """What a mix is learnt from; of each text as much as the classifier considers, and some more."""
    with opened(file) as source:
        found = [_shortened(line.text) for line in islice(read_lines(source, file, plain=plain), MOST_POSTS)]
    texts = [text for text in found if isinstance(text, Text)]
    return FirstTexts(texts, len(found) - len(texts))


def _shortened(text: Text | str) -> Text | str:
    return replace(text, text=text.text[: 2 * MAX_CHARACTERS]) if isinstance(text, Text) else text


def read_lines(source: BinaryIO, name: str, *, plain: bool = False) -> Iterator[Line]:
    """Every line of `source`; `name` tells by its ending that it is JSON lines, else its first line does.

    Any bytes are read: UTF-8 unless a byte order mark says UTF-16, and what is no character becomes U+FFFD.
    """
    characters = _decoded(source)
    try:
        yield from _read(_numbered(characters), name, plain=plain)
    finally:
        characters.detach()


def _read(lines: Iterator[tuple[int, str]], name: str, *, plain: bool) -> Iterator[Line]:
    first = next(lines, None)
    if first is None:
        return
    is_json = not plain and (Path(name).suffix.lower() in _JSON_ENDINGS or first[1].lstrip().startswith("{"))
    for number, line in chain([first], lines):
        yield Line(number, _parsed(line, is_json=is_json))


def _decoded(source: BinaryIO) -> io.TextIOWrapper:
    start = source.peek(4)[:4] if isinstance(source, io.BufferedReader) else b""
    encoding = next((name for mark, name in _BYTE_ORDER_MARKS.items() if start.startswith(mark)), "utf-8")
    return io.TextIOWrapper(source, encoding=encoding, errors="replace", newline="\n")


def _numbered(lines: io.TextIOWrapper) -> Iterator[tuple[int, str]]:
    """Lines that are not blank; of one that is too long only as much as tells so."""
    number = 0
    while line := lines.readline(LONGEST_LINE + 1):
        number += 1
        rest = line
        while rest and not rest.endswith("\n") and len(rest) > LONGEST_LINE:
            rest = lines.readline(LONGEST_LINE + 1)
        if line.strip():
            yield number, line


def _parsed(line: str, *, is_json: bool) -> Text | str:
    if len(line) > LONGEST_LINE:
        return f"is longer than {LONGEST_LINE:,} characters: cut it, or leave it out"
    return _of_json(line) if is_json else Text(line.strip("\r\n"))


def _of_json(line: str) -> Text | str:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError):
        return "this is no JSON"
    if not isinstance(row, dict):
        return "this is no JSON object"
    if not isinstance(row.get("text"), str):
        return "text: must be there, and a string"
    return _text(row)


def _text(row: dict[str, Any]) -> Text | str:
    language, network = row.get("language", row.get("lang")), row.get("network")
    rating, reply = row.get("rating"), row.get("reply")
    if not isinstance(language, str | None):
        return "language: must be a string, such as it"
    if not isinstance(network, str | None):
        return "network: must be a string, such as mastodon"
    if rating is not None and not _is_stars(rating):
        return "rating: must be stars, from 1 to 5"
    if not isinstance(reply, bool | None):
        return "reply: must be true or false"
    return Text(_written(row["text"]), language, network, rating, reply or False, venue_named(network))


def _is_stars(rating: object) -> bool:
    least, most = _STARS
    return isinstance(rating, int | float) and not isinstance(rating, bool) and least <= rating <= most


def _written(text: str) -> str:
    """Without halves of surrogate pairs: JSON can hold them, but no one can print them."""
    return text if text.isascii() else _SURROGATE.sub("\N{REPLACEMENT CHARACTER}", text)
