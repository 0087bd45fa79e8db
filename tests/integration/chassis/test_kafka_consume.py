"""consume_batches on the real broker: every record is handled, and only what is handled is committed."""

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from faststream import AckPolicy

from chassis.errors import Crash, NeverRetry
from chassis.kafka import (
    Backoff,
    Broker,
    DeadLetters,
    Fuse,
    Subscription,
    TopicsMissing,
    build_broker,
    consume_batches,
    running,
)
from chassis.messages import Record
from tests.integration.chassis.kafka_sandbox import Sandbox, Seen, as_is, numbered, sandbox, until

pytestmark = pytest.mark.integration

QUICK = Backoff(first_seconds=0.01, limit_seconds=0.05)


def consumer(box: Sandbox, dead_letters: DeadLetters, handle: Any, **options: Any) -> tuple[Broker, Subscription]:
    """A broker with one subscription to the sandbox's input topic."""
    policy = options.pop("ack_policy", AckPolicy.NACK_ON_ERROR)
    broker = build_broker(box.settings, client_id="test", ack_policy=policy)
    subscription = consume_batches(
        broker,
        topics=[box.source],
        group=box.group,
        handle=handle,
        dead_letters=dead_letters,
        backoff=QUICK,
        **{"decode": as_is, "batch_max_records": 50, **options},
    )
    return broker, subscription


async def consume_all(box: Sandbox, seen: Seen, **options: Any) -> None:
    """Consume until the group has committed everything."""
    async with DeadLetters(box.settings, client_id="test") as dead_letters:
        broker, _ = consumer(box, dead_letters, seen.handle, **options)
        async with running(broker):
            await until(box.is_done)


async def test_every_record_is_handled_in_order_for_its_key_and_committed(kafka_bootstrap: str) -> None:
    box, seen = await sandbox(kafka_bootstrap), Seen()
    await box.write(numbered(500))
    await consume_all(box, seen)
    assert len(seen.values) == 500
    assert all(values == sorted(values, key=int) for values in seen.by_key.values())


async def test_a_clean_stop_loses_and_repeats_nothing(kafka_bootstrap: str) -> None:
    box, seen = await sandbox(kafka_bootstrap), Seen()
    await box.write(numbered(500))

    async def slow(records: Sequence[Record]) -> None:
        await asyncio.sleep(0.02)
        await seen.handle(records)

    async with DeadLetters(box.settings, client_id="test") as dead_letters:
        broker, _ = consumer(box, dead_letters, slow)
        async with running(broker):
            await until(lambda: len(seen.values) >= 100)
    assert len(seen.values) < 500
    await consume_all(box, seen)
    assert sorted(seen.values, key=int) == [b"%d" % n for n in range(500)]


async def _stop_in_the_middle(box: Sandbox, policy: AckPolicy) -> None:
    """Stop while a handler hangs, so that the drain ends by cancelling it."""
    started = asyncio.Event()

    async def hang(_: Sequence[Record]) -> None:
        started.set()
        await asyncio.Event().wait()

    async with DeadLetters(box.settings, client_id="test") as dead_letters:
        broker, _ = consumer(box, dead_letters, hang, ack_policy=policy)
        async with running(broker):
            await started.wait()


async def test_a_cancelled_handler_is_not_committed(kafka_bootstrap: str) -> None:
    box, seen = await sandbox(kafka_bootstrap, drain_timeout_seconds=0.5), Seen()
    await box.write(numbered(30))
    await _stop_in_the_middle(box, AckPolicy.NACK_ON_ERROR)
    await consume_all(box, seen)
    assert len(seen.values) == 30


async def test_ack_first_loses_what_a_stop_interrupts(kafka_bootstrap: str) -> None:
    """The seeded fault: the same scenario under FastStream's default shows that the test above can fail."""
    box, seen = await sandbox(kafka_bootstrap, drain_timeout_seconds=0.5), Seen()
    await box.write(numbered(30))
    await _stop_in_the_middle(box, AckPolicy.ACK_FIRST)
    await consume_all(box, seen)
    assert seen.values == []


async def test_a_record_that_the_handler_refuses_is_dead_lettered_alone(kafka_bootstrap: str) -> None:
    box, seen = await sandbox(kafka_bootstrap), Seen()
    await box.write(numbered(100))

    async def picky(records: Sequence[Record]) -> None:
        if any(record.value == b"42" for record in records):
            raise NeverRetry("UNKNOWN_THING", "no such thing: create it and replay")
        await seen.handle(records)

    async with DeadLetters(box.settings, client_id="test") as dead_letters:
        broker, _ = consumer(box, dead_letters, picky)
        async with running(broker):
            await until(box.is_done)
    [letter] = await box.read(box.dead_letters)
    assert letter.value == b"42"
    assert sorted(seen.values, key=int) == [b"%d" % n for n in range(100) if n != 42]


async def test_an_error_that_stays_is_retried_and_then_dead_lettered(kafka_bootstrap: str) -> None:
    box, attempts = await sandbox(kafka_bootstrap), Seen()
    await box.write([(b"k", b"1")])

    async def broken(records: Sequence[Record]) -> None:
        await attempts.handle(records)
        raise ZeroDivisionError("a customer's words")

    async with DeadLetters(box.settings, client_id="test") as dead_letters:
        broker, _ = consumer(box, dead_letters, broken, attempts=4)
        async with running(broker):
            await until(box.is_done)
    [letter] = await box.read(box.dead_letters)
    headers = dict(letter.headers)
    assert len(attempts.values) == 4
    assert headers["__dlq.errors.code"] == b"RETRIES_EXHAUSTED"
    assert b"words" not in headers["__dlq.errors.message"]


async def test_an_error_that_passes_is_retried_and_nothing_is_dead_lettered(kafka_bootstrap: str) -> None:
    box, seen, failures = await sandbox(kafka_bootstrap), Seen(), iter([ZeroDivisionError(), KeyError()])
    await box.write(numbered(20))

    async def flaky(records: Sequence[Record]) -> None:
        if error := next(failures, None):
            raise error
        await seen.handle(records)

    async with DeadLetters(box.settings, client_id="test") as dead_letters:
        broker, _ = consumer(box, dead_letters, flaky)
        async with running(broker):
            await until(lambda: len(seen.values) == 20)
    assert await box.read(box.dead_letters) == []


async def test_an_outage_longer_than_the_poll_interval_keeps_the_membership(kafka_bootstrap: str) -> None:
    box, seen = await sandbox(kafka_bootstrap, max_poll_interval_ms=1_500, heartbeat_interval_ms=300), Seen()
    await box.write(numbered(20))
    loop = asyncio.get_running_loop()
    begun_at: list[float] = []

    async def away(records: Sequence[Record]) -> None:
        begun_at.append(loop.time())
        if loop.time() < begun_at[0] + 5:
            raise ConnectionRefusedError
        await seen.handle(records)

    async with DeadLetters(box.settings, client_id="test") as dead_letters:
        broker, subscription = consumer(box, dead_letters, away, transient=(OSError,))
        async with running(broker):
            await until(lambda: subscription.progress.waiting_for == "ConnectionRefusedError")
            await until(box.is_done)
            joins = subscription._subscriber.consumer._coordinator.generation
    assert (len(seen.values), joins) == (20, 1)
    assert await box.read(box.dead_letters) == []


async def test_a_crash_ends_the_subscription_and_commits_nothing(kafka_bootstrap: str) -> None:
    box, calls = await sandbox(kafka_bootstrap), Seen()
    await box.write(numbered(10))

    async def misconfigured(records: Sequence[Record]) -> None:
        await calls.handle(records)
        raise Crash("no model is installed")

    async with DeadLetters(box.settings, client_id="test") as dead_letters:
        broker, subscription = consumer(box, dead_letters, misconfigured)
        async with running(broker):
            with pytest.raises(Crash, match="no model"):
                await asyncio.wait_for(subscription.wait_failed(), 20)
            await asyncio.sleep(1)
    assert len(calls.values) <= 10
    assert await box.uncommitted() == 10


async def test_a_blown_fuse_ends_the_subscription_before_anything_is_dead_lettered(kafka_bootstrap: str) -> None:
    box, seen = await sandbox(kafka_bootstrap, partitions=1), Seen()
    await box.write(numbered(30))

    def wrong_version(_: Record) -> Record:
        raise NeverRetry("UNDECODABLE", "no")

    async with DeadLetters(box.settings, client_id="test", fuse=Fuse(max_consecutive=20)) as dead_letters:
        broker, subscription = consumer(box, dead_letters, seen.handle, decode=wrong_version)
        async with running(broker):
            with pytest.raises(Crash, match="30 records in a row"):
                await asyncio.wait_for(subscription.wait_failed(), 20)
    assert await box.read(box.dead_letters) == []
    assert await box.uncommitted() == 30


async def test_missing_topics_are_named_at_the_start(kafka_bootstrap: str) -> None:
    box = await sandbox(kafka_bootstrap)
    async with DeadLetters(box.settings, client_id="test") as dead_letters:
        broker = build_broker(box.settings, client_id="test")
        consume_batches(
            broker,
            topics=["no-such-topic"],
            group="g",
            decode=as_is,
            handle=Seen().handle,
            dead_letters=dead_letters,
        )
        with pytest.raises(TopicsMissing, match=r"no topic no-such-topic, no-such-topic\.g\.dlq: .*create it"):
            async with running(broker):
                pytest.fail("it must not start")
