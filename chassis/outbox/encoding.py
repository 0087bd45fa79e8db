"""Outbox rows in the binary format of COPY: the shortest way of arrays of differing lengths into PostgreSQL.

The format is that of the PostgreSQL manual, COPY, "Binary Format"; every number is big-endian. asyncpg can encode
the arrays too, at four times the CPU of everything else that accepting a message costs.
"""

import struct
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final

from chassis.messages import Outgoing
from chassis.outbox.shards import shard_of

COLUMNS: Final = ("shard", "topic", "key", "value", "header_names", "header_values")

_SIGNATURE = b"PGCOPY\n\xff\r\n\x00" + struct.pack(">ii", 0, 0)  # no flags, no header extension
_TRAILER = struct.pack(">h", -1)
_SIX_FIELDS_AND_SHARD = struct.Struct(">hih")
_LENGTH = struct.Struct(">i")
_ARRAY_HEAD = struct.Struct(">iiiii")  # dimensions, nulls, type of the elements, how many, index of the first
_EMPTY_ARRAY_HEAD = struct.Struct(">iii")
_BYTEA, _TEXT = 17, 25  # type ids of pg_type, the same in every server


def encode_rows(messages: Iterable[Outgoing]) -> bytes:
    """Answer `messages` as rows of the outbox with the columns of COLUMNS."""
    parts = [_SIGNATURE]
    for message in messages:
        parts.append(_SIX_FIELDS_AND_SHARD.pack(len(COLUMNS), 2, shard_of(message.key)))
        names = _encode_names(tuple(name for name, _ in message.headers))
        values = _encode_array(_BYTEA, [value for _, value in message.headers])
        for field in (message.topic.encode(), message.key, message.value, names, values):
            parts += (_LENGTH.pack(len(field)), field)
    parts.append(_TRAILER)
    return b"".join(parts)


@lru_cache(maxsize=256)
def _encode_names(names: tuple[str, ...]) -> bytes:
    """Encode header names once: most messages of a service have the same."""
    return _encode_array(_TEXT, [name.encode() for name in names])


def _encode_array(element_type: int, elements: Sequence[bytes]) -> bytes:
    if not elements:
        return _EMPTY_ARRAY_HEAD.pack(0, 0, element_type)
    parts = [_ARRAY_HEAD.pack(1, 0, element_type, len(elements), 1)]
    for element in elements:
        parts += (_LENGTH.pack(len(element)), element)
    return b"".join(parts)
