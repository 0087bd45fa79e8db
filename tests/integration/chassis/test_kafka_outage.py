"""The broker goes away under load and comes back: nothing is lost, and nobody has to restart."""

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

import pytest
from aiokafka import TopicPartition
from aiokafka.conn import AIOKafkaConnection

from chassis.kafka import (
    Broker,
    DeadLetters,
    KafkaUnreachable,
    Publisher,
    PublishFailed,
    PublishTimedOut,
    Subscription,
    TopicSpec,
    build_broker,
    committed_offsets,
    consume_batches,
    ensure_topics,
    pipe_batches,
    read_range,
    running,
)
from chassis.kafka.consumer import Consumer
from chassis.messages import Outgoing, Record
from tests.integration.chassis.kafka_sandbox import Sandbox, Seen, as_is, first_times, numbered, sandbox, until

if TYPE_CHECKING:
    from local.stack import Stack

pytestmark = [
    pytest.mark.integration,
    pytest.mark.slow,
    pytest.mark.faults,
    # aiokafka leaves a connection to the collector when its start is given up half-way.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

COUNT = 1_000


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """What a test leaves to the collector is collected within it, where it is expected."""
    yield
    gc.collect()


@asynccontextmanager
async def broker_away(stack: "Stack") -> AsyncIterator[None]:
    """Kafka is stopped inside the block, and serves again after it."""
    await asyncio.to_thread(stack.kafka.stop)
    try:
        yield
    finally:
        await asyncio.to_thread(stack.kafka.start)


async def _write_through(box: Sandbox) -> None:
    """Publish batch by batch, each until it is acknowledged, as a relay does."""
    async with Publisher(box.settings, client_id="test") as publisher:
        pairs = numbered(COUNT)
        for start in range(0, COUNT, 50):
            messages = [Outgoing(box.source, *pair) for pair in pairs[start : start + 50]]
            await until(partial(_is_published, publisher, messages), timeout_seconds=120)
            await asyncio.sleep(0.2)


@pytest.mark.parametrize(
    ("publish_timeout_seconds", "away_seconds"), [(3.0, 15), (60.0, 5)], ids=["writes time out", "writes wait"]
)
async def test_a_chain_survives_a_broker_that_is_away(
    stack: "Stack", publish_timeout_seconds: float, away_seconds: int
) -> None:
    box = await sandbox(stack.bootstrap_servers, publish_timeout_seconds=publish_timeout_seconds)
    onward = Sandbox(box.settings, box.target, box.target, f"{box.group}.onward")
    await ensure_topics(box.settings, [TopicSpec(onward.dead_letters, 3)])
    seen = Seen()
    async with DeadLetters(box.settings, client_id="test") as dead_letters:
        broker = build_broker(box.settings, client_id="test")
        subscriptions = [_pipe(box, broker, dead_letters), _consume(box, broker, dead_letters, seen)]
        async with running(broker), asyncio.TaskGroup() as group:
            writing = group.create_task(_write_through(box))
            await until(lambda: len(seen.values) > 50)
            async with broker_away(stack):
                await asyncio.sleep(away_seconds)
            await writing
            await until(lambda: len(set(seen.values)) == COUNT, timeout_seconds=60)
            await until(onward.is_done, timeout_seconds=30)
    assert [subscription.failure for subscription in subscriptions] == [None, None]
    assert all(first_times(values) == sorted(first_times(values)) for values in seen.by_key.values())
    assert await box.read(box.dead_letters) == []


def _pipe(box: Sandbox, broker: Broker, dead_letters: DeadLetters, *, batch_max_records: int = 500) -> Subscription:
    def copy(records: Sequence[Record]) -> Sequence[Outgoing]:
        return [Outgoing(box.target, record.key or b"", record.value or b"") for record in records]

    return pipe_batches(
        broker,
        topics=[box.source],
        group=box.group,
        decode=as_is,
        transform=copy,
        dead_letters=dead_letters,
        batch_max_records=batch_max_records,
    )


def _consume(box: Sandbox, broker: Broker, dead_letters: DeadLetters, seen: Seen) -> Subscription:
    return consume_batches(
        broker,
        topics=[box.target],
        group=f"{box.group}.onward",
        decode=as_is,
        handle=seen.handle,
        dead_letters=dead_letters,
    )


async def test_a_stop_while_the_broker_is_away_ends_in_time_and_loses_nothing(stack: "Stack") -> None:
    quick = {"drain_timeout_seconds": 2, "session_timeout_ms": 6_000, "heartbeat_interval_ms": 1_000}
    box, seen = await sandbox(stack.bootstrap_servers, **quick), Seen()
    onward = Sandbox(box.settings, box.target, box.target, f"{box.group}.onward")
    await ensure_topics(box.settings, [TopicSpec(onward.dead_letters, 3)])
    await box.write(numbered(COUNT))
    stopping = asyncio.timeout(None)
    async with stopping:
        async with DeadLetters(box.settings, client_id="test") as dead_letters:
            broker = build_broker(box.settings, client_id="test")
            _pipe(box, broker, dead_letters, batch_max_records=10)
            async with running(broker):
                await asyncio.to_thread(stack.kafka.stop)
                stopping.reschedule(asyncio.get_running_loop().time() + 15)
        stopping.reschedule(None)
    await asyncio.to_thread(stack.kafka.start)
    async with DeadLetters(box.settings, client_id="test") as dead_letters:
        broker = build_broker(box.settings, client_id="test")
        _pipe(box, broker, dead_letters)
        _consume(box, broker, dead_letters, seen)
        async with running(broker):
            await until(lambda: len(set(seen.values)) == COUNT, timeout_seconds=60)
    assert all(first_times(values) == sorted(first_times(values)) for values in seen.by_key.values())


async def test_a_write_without_an_answer_is_unknown_and_the_next_one_works(stack: "Stack") -> None:
    box = await sandbox(stack.bootstrap_servers, publish_timeout_seconds=2)
    async with Publisher(box.settings, client_id="test") as publisher:
        await until(lambda: _is_published(publisher, [Outgoing(box.source, b"k", b"1")]))
        async with broker_away(stack):
            with pytest.raises(PublishTimedOut, match="no acknowledgement of 1 records in 2 s"):
                await publisher.publish_all([Outgoing(box.source, b"k", b"2")])
            with pytest.raises(PublishFailed, match="no Kafka broker answers"):
                await publisher.publish_all([Outgoing(box.source, b"k", b"3")])
        await until(lambda: _is_published(publisher, [Outgoing(box.source, b"k", b"4")]))
    assert list(dict.fromkeys(record.value for record in await box.read(box.source))) == [b"1", b"4"]


async def test_a_producer_that_was_given_up_leaves_nothing_open(stack: "Stack") -> None:
    box = await sandbox(stack.bootstrap_servers, publish_timeout_seconds=1)
    async with Publisher(box.settings, client_id="test") as publisher:
        await until(lambda: _is_published(publisher, [Outgoing(box.source, b"k", b"1")]))
        async with broker_away(stack):
            with pytest.raises(PublishTimedOut):
                await publisher.publish_all([Outgoing(box.source, b"k", b"2")])
    assert _open_clients() == (0, 0)


async def test_a_consumer_that_is_stopped_while_the_broker_is_away_leaves_nothing_open(stack: "Stack") -> None:
    box = await sandbox(stack.bootstrap_servers)
    for _ in range(3):  # where its fetch is at that moment is chance
        consumer = Consumer(bootstrap_servers=stack.bootstrap_servers, enable_auto_commit=False)
        await consumer.start()
        consumer.assign([TopicPartition(box.source, 0)])
        async with broker_away(stack):
            await asyncio.sleep(1)
            await consumer.stop()
        assert _open_clients() == (0, 0)


def _open_clients() -> tuple[int, int]:
    """How many clients look after their metadata, and how many connections are open."""
    looking_after = [task for task in asyncio.all_tasks() if "_md_synchronizer" in repr(task.get_coro())]
    ours = [each for each in gc.get_objects() if isinstance(each, AIOKafkaConnection) and each.connected()]
    return len(looking_after), len([each for each in ours if each._loop is asyncio.get_running_loop()])


async def _is_published(publisher: Publisher, messages: Sequence[Outgoing]) -> bool:
    try:
        await publisher.publish_all(messages)
    except PublishFailed:
        return False
    return True


async def test_a_reading_ends_when_the_broker_goes_away(stack: "Stack") -> None:
    box = await sandbox(stack.bootstrap_servers, partitions=1, connect_timeout_seconds=10)
    # More than aiokafka fetches ahead.
    await box.write((b"k", bytes(500_000)) for _ in range(20))
    reading = read_range(box.settings, box.source)
    async with asyncio.timeout(None) as reading_on:
        await anext(reading)
        async with broker_away(stack):
            reading_on.reschedule(asyncio.get_running_loop().time() + 60)
            with pytest.raises(KafkaUnreachable, match=f"no record of {box.source} within 10 s"):
                _ = [record async for record in reading]
            reading_on.reschedule(None)


async def test_a_broker_that_has_just_started_never_hides_what_a_group_has_committed(stack: "Stack") -> None:
    """It takes a while to load a group of many commits, and meanwhile knows of none."""
    box = await sandbox(stack.bootstrap_servers, partitions=20)
    partitions = [TopicPartition(box.source, number) for number in range(20)]
    async with Consumer(
        bootstrap_servers=stack.bootstrap_servers, group_id=box.group, enable_auto_commit=False
    ) as consumer:
        consumer.assign(partitions)
        for offset in range(1_000):
            await consumer.commit(dict.fromkeys(partitions, offset))
        async with broker_away(stack):
            asking = asyncio.create_task(committed_offsets(box.settings, box.group))
            reading = asyncio.create_task(consumer.committed(partitions[0]))
        expected = {(box.source, each.partition): 999 for each in partitions}
        assert (await asking, await committed_offsets(box.settings, box.group)) == (expected, expected)
        assert (await reading, await consumer.committed(partitions[0])) == (999, 999)


async def test_a_fetch_that_was_cancelled_is_over(kafka_bootstrap: str) -> None:
    """Else a member whose handler hangs would be taken for one that polls, and never lose its partitions."""
    async with Consumer(bootstrap_servers=kafka_bootstrap, group_id="test") as consumer:
        consumer.assign([TopicPartition((await sandbox(kafka_bootstrap)).source, 0)])
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(consumer.getmany(timeout_ms=60_000), 0.2)
        await asyncio.sleep(0.1)
        assert consumer._subscription.fetcher_idle_time >= 0.1
