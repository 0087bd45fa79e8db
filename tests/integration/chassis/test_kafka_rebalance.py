"""Members come and go: every record is worked on, in order for its key, and little of it twice."""

import asyncio
from collections.abc import Sequence

import pytest

from chassis.kafka import DeadLetters, Publisher, build_broker, consume_batches, pipe_batches, running
from chassis.messages import Outgoing, Record
from tests.integration.chassis.kafka_sandbox import Sandbox, Seen, as_is, first_times, numbered, sandbox, until

pytestmark = pytest.mark.integration

COUNT = 1_500


async def _write_steadily(box: Sandbox) -> None:
    async with Publisher(box.settings, client_id="test") as publisher:
        pairs = numbered(COUNT, keys=20)
        for start in range(0, COUNT, 50):
            await publisher.publish_all([Outgoing(box.source, *pair) for pair in pairs[start : start + 50]])
            await asyncio.sleep(0.1)


async def test_consumers_that_come_and_go_handle_everything_in_order(kafka_bootstrap: str) -> None:
    box, seen = await sandbox(kafka_bootstrap, partitions=4, heartbeat_interval_ms=200), Seen()

    async def slow(records: Sequence[Record]) -> None:
        await asyncio.sleep(0.05)
        await seen.handle(records)

    async def member(leave: asyncio.Event) -> None:
        async with DeadLetters(box.settings, client_id="test") as dead_letters:
            broker = build_broker(box.settings, client_id="test")
            consume_batches(
                broker,
                topics=[box.source],
                group=box.group,
                decode=as_is,
                handle=slow,
                dead_letters=dead_letters,
                batch_max_records=20,
            )
            async with running(broker):
                await leave.wait()

    await _with_changing_members(box, member)
    assert sorted(first_times(seen.values)) == list(range(COUNT))
    assert all(first_times(values) == sorted(first_times(values)) for values in seen.by_key.values())
    assert len(seen.values) == COUNT, "a drained rebalance repeats nothing"


async def test_pipes_that_come_and_go_write_everything_in_order(kafka_bootstrap: str) -> None:
    box = await sandbox(kafka_bootstrap, partitions=4, heartbeat_interval_ms=200)

    def copy(records: Sequence[Record]) -> Sequence[Outgoing]:
        return [Outgoing(box.target, record.key or b"", record.value or b"") for record in records]

    async def member(leave: asyncio.Event) -> None:
        async with DeadLetters(box.settings, client_id="test") as dead_letters:
            broker = build_broker(box.settings, client_id="test")
            pipe_batches(
                broker,
                topics=[box.source],
                group=box.group,
                decode=as_is,
                transform=copy,
                dead_letters=dead_letters,
                batch_max_records=20,
            )
            async with running(broker):
                await leave.wait()

    await _with_changing_members(box, member)
    written = Seen()
    await written.handle(await box.read(box.target))
    assert sorted(first_times(written.values)) == list(range(COUNT))
    assert all(first_times(values) == sorted(first_times(values)) for values in written.by_key.values())
    assert len(written.values) == COUNT, "a drained rebalance repeats nothing"


async def _with_changing_members(box: Sandbox, member: object) -> None:
    """One member from the start, a second one joins, the first leaves, a third joins."""
    leaves = [asyncio.Event() for _ in range(3)]
    async with asyncio.TaskGroup() as group:
        writing = group.create_task(_write_steadily(box))
        group.create_task(member(leaves[0]))  # type: ignore[operator]
        await asyncio.sleep(0.8)
        group.create_task(member(leaves[1]))  # type: ignore[operator]
        await asyncio.sleep(0.8)
        leaves[0].set()
        await asyncio.sleep(0.4)
        group.create_task(member(leaves[2]))  # type: ignore[operator]
        await writing
        await until(box.is_done)
        for leave in leaves:
            leave.set()
