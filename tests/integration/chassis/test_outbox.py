"""The outbox on the real PostgreSQL: what commits is published, whole, in order, whatever breaks on the way."""

import asyncio

import pytest

from chassis.messages import Outgoing
from chassis.outbox import SHARDS, enqueue, shard_of
from chassis.postgres import Pool, transaction
from tests.integration.chassis.outboxes import (
    NewRelay,
    RecordingPublisher,
    is_empty,
    message,
    running,
    until,
    write,
)

pytestmark = pytest.mark.integration


async def test_a_message_arrives_as_it_was_written(pool: Pool, new_relay: NewRelay) -> None:
    sent = [message("key", "one"), Outgoing("other", b"\x00\xff", b"", ())]
    await write(pool, sent)

    publisher = RecordingPublisher()
    async with running(new_relay(publisher)):
        await until(lambda: is_empty(pool))
    assert sorted(publisher.messages, key=lambda sent_one: sent_one.topic, reverse=True) == sent


async def test_what_rolls_back_is_not_published(pool: Pool, new_relay: NewRelay) -> None:
    with pytest.raises(LookupError):  # noqa: PT012 - leaving the block is tested too
        async with transaction(pool) as connection:
            await enqueue(connection, [message("key", "lost")])
            raise LookupError
    await write(pool, [message("key", "kept")])

    publisher = RecordingPublisher()
    async with running(new_relay(publisher)):
        await until(lambda: is_empty(pool))
    assert publisher.values() == [b"kept"]


async def test_a_hint_wakes_the_relay_long_before_its_poll(pool: Pool, new_relay: NewRelay) -> None:
    publisher = RecordingPublisher()
    relay = new_relay(publisher, poll_seconds=60.0)
    async with running(relay):
        await until(lambda: _holders(pool, {"relay": SHARDS}))
        await write(pool, [message("key", "value")])
        relay.hint()
        await until(lambda: is_empty(pool), seconds=5)
    assert publisher.values() == [b"value"]


async def _write_numbered(pool: Pool, key: str, count: int) -> None:
    """Write 0, 1, 2 ... under a key, each in its own transaction that reads the number it goes on from."""
    for number in range(count):
        other = f"{key}-other"
        await write(pool, [message(key, f"{key} {number}"), message(other, f"{other} {number}")])


async def test_order_per_key_holds_under_many_writers_and_two_relays(pool: Pool, new_relay: NewRelay) -> None:
    publisher = RecordingPublisher()
    keys = [f"key-{number}" for number in range(8)]
    async with running(new_relay(publisher, name="one"), new_relay(publisher, name="two")):
        await asyncio.gather(*(_write_numbered(pool, key, 40) for key in keys))
        await until(lambda: is_empty(pool))

    expected = {
        name.encode(): [f"{name} {number}".encode() for number in range(40)]
        for key in keys
        for name in (key, f"{key}-other")
    }
    assert publisher.first_values_by_key() == expected
    assert len(publisher.messages) == 8 * 2 * 40


async def test_rows_of_a_shard_become_visible_in_the_order_of_their_ids(pool: Pool) -> None:
    """A second writer of the shard waits for the first one's commit, so no row appears behind one already read."""
    async with transaction(pool) as first:
        await enqueue(first, [message("key", "first")])
        second = asyncio.create_task(write(pool, [message("key", "second")]))
        await until(lambda: _is_waiting(pool))
        other = next(f"k{n}" for n in range(99) if shard_of(f"k{n}".encode()) != shard_of(b"key"))
        await asyncio.wait_for(write(pool, [message(other, "another shard")]), timeout=5)
    await second

    rows = await pool.fetch("SELECT value FROM outbox WHERE shard = $1 ORDER BY id", shard_of(b"key"))
    assert [row["value"] for row in rows] == [b"first", b"second"]


async def _is_waiting(pool: Pool) -> bool:
    return bool(await pool.fetchval("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"))


async def _holders(pool: Pool, expected: dict[str, int]) -> bool:
    """Tell whether each relay holds the expected number of shards; its membership lock is not counted."""
    rows = await pool.fetch(
        "SELECT application_name AS name, count(*) AS shards FROM pg_locks JOIN pg_stat_activity USING (pid) "
        "WHERE locktype = 'advisory' AND mode = 'ExclusiveLock' AND granted AND datname = current_database() "
        "GROUP BY 1"
    )
    return {row["name"]: row["shards"] for row in rows} == expected


async def test_two_relays_share_the_shards_and_one_takes_over(pool: Pool, new_relay: NewRelay) -> None:
    publisher = RecordingPublisher()
    async with running(new_relay(publisher, name="one")):
        await until(lambda: _holders(pool, {"one": SHARDS}))
        async with running(new_relay(publisher, name="two")):
            await until(lambda: _holders(pool, {"one": SHARDS // 2, "two": SHARDS // 2}))
        await until(lambda: _holders(pool, {"one": SHARDS}))
