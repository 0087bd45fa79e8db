"""Delivers every message twice: writes each record once more, with the same key, value and headers."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition

from contracts.topics import TOPICS
from local.stack import Stack
from tests.e2e.background import in_background

POLL_MS = 100
IN_PLACE_SECONDS = 30.0


@dataclass
class Duplicates:
    """What was written once more."""

    written: int = 0
    own: set[tuple[str, int, int]] = field(default_factory=set)
    """Where the duplicates stand, so that none is duplicated again."""


@contextmanager
def duplicating(stack: Stack) -> Iterator[Duplicates]:
    """Write every record that comes into a topic of the catalogue during the block a second time."""
    duplicates, in_place = Duplicates(), threading.Event()

    async def main(stopping: asyncio.Event) -> None:
        consumer = AIOKafkaConsumer(bootstrap_servers=stack.bootstrap_servers, enable_auto_commit=False)
        producer = AIOKafkaProducer(bootstrap_servers=stack.bootstrap_servers, acks="all", enable_idempotence=True)
        async with consumer, producer:
            consumer.assign([TopicPartition(each.name, n) for each in TOPICS for n in range(each.partitions)])
            await consumer.seek_to_end()
            in_place.set()
            while not stopping.is_set():
                fetched = await consumer.getmany(timeout_ms=POLL_MS)
                await _write_again(producer, [record for records in fetched.values() for record in records], duplicates)

    with in_background(main, "duplicator"):
        assert in_place.wait(IN_PLACE_SECONDS), "the duplicator does not reach Kafka"
        yield duplicates


async def _write_again(producer: AIOKafkaProducer, records: list[ConsumerRecord], duplicates: Duplicates) -> None:
    originals = [each for each in records if (each.topic, each.partition, each.offset) not in duplicates.own]
    sent = [
        await producer.send(each.topic, each.value, key=each.key, partition=each.partition, headers=list(each.headers))
        for each in originals
    ]
    for written in await asyncio.gather(*sent):
        duplicates.own.add((written.topic, written.partition, written.offset))
    duplicates.written += len(originals)
