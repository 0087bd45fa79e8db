"""Messages as columns of the outbox, and headers back: flat arrays, which cost little to send."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from chassis.messages import Headers, Outgoing
from chassis.outbox.shards import shard_of

_read_headers = msgspec.json.Decoder(dict[str, str]).decode


class Columns(NamedTuple):
    """Arrays of equal length, in the order that statements take them; headers are JSON, which people can read."""

    shards: list[int]
    topics: list[str]
    keys: list[bytes]
    values: list[bytes]
    headers: list[str]


def columns_of(messages: Sequence[Outgoing]) -> Columns:
    """Arrange `messages`; raises ValueError where headers repeat a name or are not UTF-8."""
    return Columns(
        [shard_of(message.key) for message in messages],
        [message.topic for message in messages],
        [message.key for message in messages],
        [message.value for message in messages],
        [write_headers(message.headers) for message in messages],
    )


def write_headers(headers: Headers) -> str:
    """Write headers as a JSON object, in their order."""
    written = {name: value.decode() for name, value in headers}
    if len(written) != len(headers):
        raise ValueError("the outbox keeps one header of a name")
    return msgspec.json.encode(written).decode()


def read_headers(written: str) -> Headers:
    """Read what `write_headers` wrote."""
    return tuple((name, value.encode()) for name, value in _read_headers(written).items())
