"""Cursors as fetchers keep them: small JSON documents, each of its fetcher's own type."""

from typing import TypeVar

import msgspec

T = TypeVar("T", bound=msgspec.Struct)


def read_cursor(cursor: bytes | None, kind: type[T]) -> T:
    """Read a cursor; none, or one of a form that is not ours, means the very beginning, which the dedupe key allows."""
    if cursor is None:
        return kind()
    try:
        return msgspec.json.decode(cursor, type=kind)
    except msgspec.DecodeError:
        return kind()


def write_cursor(cursor: msgspec.Struct) -> bytes:
    """Write a cursor."""
    return msgspec.json.encode(cursor)
