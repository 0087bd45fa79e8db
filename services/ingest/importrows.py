"""Rows of JSONL files: our own import rows, and those of public collections of support threads."""

from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Final, NamedTuple

import msgspec
from msgspec import Meta, Struct

from services.ingest.decoding import convert, decode_json
from services.ingest.rawpost import Identifier, Invalid, Language, RawPost, Text, Time

_ANY: Final = msgspec.json.Decoder()
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


class Row(NamedTuple):
    """One line of a file that is not blank."""

    line_number: int
    """From 1."""
    post: RawPost | Invalid


class ThreadRow(Struct, frozen=True, kw_only=True):
    """A message of a public collection of customer support threads on X; further keys do not matter."""

    tweet_id: Identifier
    author: Annotated[str, Meta(min_length=1, max_length=512)]
    inbound: bool
    """False where the brand speaks."""
    text: Text
    thread_id: Identifier | None = None
    in_reply_to: Identifier | None = None
    created_at: Time | None = None
    lang: Language | None = None


def parse_rows(lines: Iterable[bytes]) -> Iterator[Row]:
    """Read a file opened in binary mode line by line; blank lines are passed over."""
    for line_number, line in enumerate(lines, start=1):
        content = line.removeprefix(_BYTE_ORDER_MARK) if line_number == 1 else line
        if content.strip():
            yield Row(line_number, read_row(content))


def read_row(line: bytes) -> RawPost | Invalid:
    """Read one row of either shape, told apart by its keys."""
    fields = decode_json(_ANY, line)
    if isinstance(fields, Invalid):
        return fields
    if not isinstance(fields, dict):
        return Invalid("", "a row is a JSON object")
    return _from_thread(fields) if "tweet_id" in fields else convert(fields, RawPost)


def _from_thread(fields: dict[str, Any]) -> RawPost | Invalid:
    row = convert(fields, ThreadRow)
    if isinstance(row, Invalid):
        return row
    return convert(
        {
            "network": "x",
            "kind": "public_comment" if row.in_reply_to else "public_post",
            "native_id": row.tweet_id,
            "native_thread_id": row.thread_id,
            "native_parent_id": row.in_reply_to,
            "own": not row.inbound,
            "author": {"id": row.author},
            "text": row.text,
            "language": row.lang,
            "create_time": row.created_at,
        },
        RawPost,
    )
