"""What travels through Kafka, as plain values: `Record` was read, `Outgoing` is to be written."""

from collections.abc import Sequence
from dataclasses import dataclass, field

Headers = Sequence[tuple[str, bytes]]


@dataclass(frozen=True, slots=True)
class Record:
    """One Kafka record as the broker holds it; nothing in it has been trusted or decoded yet."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: Headers


def dead_letter_topic(topic: str, group: str) -> str:
    """Where the records of `topic` go that consumer group `group` could not work on."""
    return f"{topic}.{group}.dlq"


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One Kafka record to be written; `key` decides the partition and so the order."""

    topic: str
    key: bytes
    value: bytes
    headers: Headers = field(default_factory=tuple)
