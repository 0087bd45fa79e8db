"""What the topics say about events, read from headers alone."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from chassis.kafka import KafkaSettings, read_range
from chassis.messages import Record
from cli.ledger.balance import Copy, EventId, Position
from contracts.topics import CLASSIFIED, POSTS, TOPICS, TRIAGE


@dataclass(frozen=True)
class Log:
    """Where the events of posts and their classifications stand, and which of them are dead-lettered."""

    published: dict[EventId, list[Position]]
    classified: dict[EventId, list[Copy]]
    triaged: frozenset[EventId]
    dead_letters: tuple[tuple[EventId, EventId], ...]
    """(event id of the record, event id of the post that it is about)"""


async def read_log(settings: KafkaSettings, start_ms: int | None) -> Log:
    """Read every topic of posts, classifications and dead letters from `start_ms` (epoch milliseconds)."""
    letters = [name for topic in TOPICS for name in topic.dead_letters()]
    names = [POSTS.name, *(topic.name for topic in CLASSIFIED), *letters]
    scans = await asyncio.gather(*(_scan(settings, name, start_ms) for name in names))
    records = dict(zip(names, scans, strict=True))
    return Log(
        published=_by_event(records[POSTS.name]),
        classified=_classified(record for topic in CLASSIFIED for record in records[topic.name]),
        triaged=frozenset(event for event, _ in map(_cause, records[TRIAGE.name]) if event),
        dead_letters=tuple(_dead(record) for name in letters for record in records[name]),
    )


async def _scan(settings: KafkaSettings, topic: str, start_ms: int | None) -> list[Record]:
    return [_without_value(record) async for record in read_range(settings, topic, start_ms=start_ms)]


def _without_value(record: Record) -> Record:
    """Only headers matter here, and a long log would not fit in memory with its values."""
    return Record(record.topic, record.partition, record.offset, record.timestamp_ms, record.key, None, record.headers)


def _by_event(records: Iterable[Record]) -> dict[EventId, list[Position]]:
    found: defaultdict[EventId, list[Position]] = defaultdict(list)
    for record in records:
        found[_header(record, "ce_id")].append(_position(record))
    return dict(found)


def _classified(records: Iterable[Record]) -> dict[EventId, list[Copy]]:
    found: defaultdict[EventId, list[Copy]] = defaultdict(list)
    for record in records:
        cause, event = _cause(record)
        found[cause].append(Copy(event, _position(record)))
    return dict(found)


def _cause(record: Record) -> tuple[EventId, EventId]:
    return _header(record, "ce_causationid"), _header(record, "ce_id")


def _dead(record: Record) -> tuple[EventId, EventId]:
    """A dead letter of the topic of posts is about the event itself, one of a later topic about its cause."""
    event = _header(record, "ce_id")
    return event, _header(record, "ce_correlationid") or event


def _position(record: Record) -> Position:
    return record.topic, record.partition, record.offset


def _header(record: Record, name: str) -> str:
    """A header as text, "" where it is missing or unreadable: the ledger must read what consumers could not."""
    return next((value.decode(errors="replace") for key, value in record.headers if key == name), "")
