"""From what aiokafka hands over to `Record` and decoded values; nothing that a record holds can raise here."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeAlias, TypeVar

from chassis.errors import Crash, NeverRetry
from chassis.kafka.progress import Position
from chassis.messages import Record

T = TypeVar("T")

Raw: TypeAlias = Any
"""An aiokafka ConsumerRecord."""


def to_record(raw: Raw) -> Record:
    """The record with null header values as empty ones, so that a decoder may take them as bytes."""
    headers = raw.headers
    for _, value in headers:
        if value is None:
            headers = tuple((name, value or b"") for name, value in headers)
            break
    return Record(raw.topic, raw.partition, raw.offset, raw.timestamp, raw.key, raw.value, headers)


def untouched(raw: Raw) -> Record:
    """The record exactly as it was read, null header values included: for the dead letters."""
    return Record(raw.topic, raw.partition, raw.offset, raw.timestamp, raw.key, raw.value, raw.headers)


@dataclass(slots=True)
class Decoded(Generic[T]):
    """A batch after decoding: what can be worked on, value by value with its source, and what cannot."""

    sources: list[Raw] = field(default_factory=list)
    values: list[T] = field(default_factory=list)
    rejected: list[tuple[Raw, NeverRetry]] = field(default_factory=list)


def decode_all(raws: Iterable[Raw], decode: Callable[[Record], T]) -> Decoded[T]:
    """Decode each record; one that cannot be decoded is rejected and the others go on."""
    decoded = Decoded[T]()
    for raw in raws:
        try:
            value = decode(to_record(raw))
        except NeverRetry as refusal:
            decoded.rejected.append((raw, refusal))
        except Crash:
            raise
        except Exception as error:  # noqa: BLE001 - a decoder is pure: what it raises, it raises again
            decoded.rejected.append((raw, unexpected("DECODE_FAILED", error)))
        else:
            decoded.sources.append(raw)
            decoded.values.append(value)
    return decoded


def unexpected(code: str, error: Exception) -> NeverRetry:
    """A NeverRetry for an error that was not foreseen; its text is left out, for it may quote the record."""
    refusal = NeverRetry(code, f"{type(error).__name__}: not foreseen by the code, see the process log")
    refusal.__cause__ = error
    return refusal


def first_offsets(raws: Sequence[Raw]) -> dict[Position, int]:
    """(topic, partition) -> the offset of its first record; records of a partition are in order."""
    return {(raw.topic, raw.partition): raw.offset for raw in reversed(raws)}


def next_offsets(raws: Iterable[Raw]) -> dict[Position, int]:
    """(topic, partition) -> the offset after its last record; records of a partition are in order."""
    return {(raw.topic, raw.partition): raw.offset + 1 for raw in raws}
