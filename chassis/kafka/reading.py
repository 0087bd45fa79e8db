"""Reading topics from the side, without a group: what the ledger and the dead letter commands look at."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager

from aiokafka import TopicPartition

from chassis.kafka.admin import require_topics
from chassis.kafka.consumer import Consumer
from chassis.kafka.errors import KafkaUnreachable
from chassis.kafka.progress import Position
from chassis.kafka.records import Raw, to_record
from chassis.kafka.settings import KafkaSettings
from chassis.messages import Record

_CLIENT_ID = "chassis-reader"
_POLL_MS = 500
_BATCH_RECORDS = 1_000
_LOOK_UP_SECONDS = 5.0


async def read_range(
    settings: KafkaSettings, topic: str, *, start_ms: int | None = None, limit: int | None = None
) -> AsyncIterator[Record]:
    """The records of `topic` up to its end at the time of the call, in order within each partition.

    `start_ms` (epoch milliseconds) skips what was written before it; `limit` caps the number of records. Raises
    TopicsMissing when there is no such topic, KafkaUnreachable when nothing comes for `connect_timeout_seconds`,
    Crash at a record that cannot be read.
    """
    left = limit
    async with _reader(settings, [topic]) as (consumer, partitions):
        async with _waiting(settings, _LOOK_UP_SECONDS, "offsets"):
            open_ends = await _seek_and_open(consumer, partitions, start_ms)
            positions = await _positions(consumer, open_ends)
        while open_ends and left != 0:
            async with _waiting(settings, settings.connect_timeout_seconds, f"record of {topic}"):
                raws, positions = await _advance(consumer, {at: positions[at] for at in open_ends})
            for raw in raws:
                if left == 0:
                    return
                if raw.offset < open_ends.get(TopicPartition(raw.topic, raw.partition), 0):
                    yield to_record(raw)
                    left = None if left is None else left - 1
            open_ends = {at: end for at, end in open_ends.items() if positions[at] < end}
            consumer.pause(*(set(partitions) - set(open_ends)))


async def end_offsets(settings: KafkaSettings, topics: Sequence[str]) -> dict[Position, int]:
    """(topic, partition) -> the offset that the next record will get."""
    async with (
        _reader(settings, topics) as (consumer, partitions),
        _waiting(settings, _LOOK_UP_SECONDS, "offsets"),
    ):
        return _plain(await consumer.end_offsets(partitions))


async def _seek_and_open(
    consumer: Consumer, partitions: list[TopicPartition], start_ms: int | None
) -> dict[TopicPartition, int]:
    ends: dict[TopicPartition, int] = await consumer.end_offsets(partitions)
    starts: dict[TopicPartition, int] = await consumer.beginning_offsets(partitions)
    if start_ms is not None:
        found = await consumer.offsets_for_times(dict.fromkeys(partitions, start_ms))
        starts = {at: found[at].offset if found.get(at) else ends[at] for at in partitions}
    for at in partitions:
        consumer.seek(at, starts[at])
    return {at: end for at, end in ends.items() if starts[at] < end}


async def _advance(
    consumer: Consumer, positions: Mapping[TopicPartition, int]
) -> tuple[list[Raw], dict[TopicPartition, int]]:
    """The records that come next and the positions behind them, one of which at least has moved."""
    while True:
        found = await consumer.getmany(timeout_ms=_POLL_MS, max_records=_BATCH_RECORDS)
        if (reached := await _positions(consumer, positions)) != positions:
            return [raw for raws in found.values() for raw in raws], reached


async def _positions(consumer: Consumer, partitions: Iterable[TopicPartition]) -> dict[TopicPartition, int]:
    return {at: await consumer.position(at) for at in partitions}


@asynccontextmanager
async def _waiting(settings: KafkaSettings, seconds: float, awaited: str) -> AsyncIterator[None]:
    """An end to a wait: aiokafka asks a broker that is away again and again, and says nothing."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as error:
        servers = ", ".join(settings.bootstrap_servers)
        raise KafkaUnreachable(f"Kafka at {servers} told no {awaited} within {seconds:g} s") from error


@asynccontextmanager
async def _reader(
    settings: KafkaSettings, topics: Sequence[str]
) -> AsyncIterator[tuple[Consumer, list[TopicPartition]]]:
    counts = await require_topics(settings, topics)
    partitions = [TopicPartition(topic, number) for topic, count in counts.items() for number in range(count)]
    consumer = Consumer(**settings.connection(_CLIENT_ID), enable_auto_commit=False, auto_offset_reset="earliest")
    try:
        await consumer.start()
        consumer.assign(partitions)
        yield consumer, partitions
    finally:
        await consumer.stop()


def _plain(offsets: Mapping[TopicPartition, int]) -> dict[Position, int]:
    return {(at.topic, at.partition): offset for at, offset in offsets.items()}
