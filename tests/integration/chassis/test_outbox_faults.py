"""The relay when things break: nothing is lost, repeats are the same, and first appearances are in order."""

import asyncio
import os
import signal
import sys
from collections.abc import Sequence

import pytest

from chassis.errors import Crash
from chassis.messages import Outgoing
from chassis.outbox import shard_of
from chassis.postgres import Pool
from tests.integration.chassis.outboxes import (
    NewRelay,
    RecordingPublisher,
    end_sessions,
    is_empty,
    message,
    running,
    until,
    write,
)

pytestmark = pytest.mark.integration
NUMBERS = [str(number) for number in range(30)]
IN_ORDER = {b"key": [number.encode() for number in NUMBERS]}


async def _write_numbers(pool: Pool) -> None:
    await write(pool, [message("key", number) for number in NUMBERS])


async def test_a_session_lost_between_acknowledgement_and_delete_repeats_the_same_messages(
    pool: Pool, new_relay: NewRelay, database_dsn: str
) -> None:
    await _write_numbers(pool)
    publisher = RecordingPublisher()

    async def lose_the_first(_: Sequence[Outgoing]) -> None:
        if not publisher.batches:
            publisher.messages.extend(message("key", number) for number in NUMBERS)
            publisher.batches.append(len(NUMBERS))
            await end_sessions(database_dsn, "relay")
            await asyncio.Event().wait()

    publisher.trouble = lose_the_first
    async with running(new_relay(publisher)):
        await until(lambda: is_empty(pool))
    assert publisher.first_values_by_key() == IN_ORDER
    assert len(publisher.messages) == 2 * len(NUMBERS)
    assert {m.headers for m in publisher.messages} == {message("key", number).headers for number in NUMBERS}


async def test_a_lost_session_ends_its_batches_at_once(pool: Pool, new_relay: NewRelay, database_dsn: str) -> None:
    await _write_numbers(pool)
    begun, ended = asyncio.Event(), asyncio.Event()

    async def hang(_: Sequence[Outgoing]) -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    async with running(new_relay(RecordingPublisher(hang), drain_seconds=0.2)):
        await begun.wait()
        await end_sessions(database_dsn, "relay")
        await asyncio.wait_for(ended.wait(), timeout=5)


async def test_a_batch_without_acknowledgement_in_time_is_sent_again(pool: Pool, new_relay: NewRelay) -> None:
    await _write_numbers(pool)
    calls = 0

    async def hang_once(_: Sequence[Outgoing]) -> None:
        nonlocal calls
        calls += 1
        if calls == 1:
            await asyncio.Event().wait()

    publisher = RecordingPublisher(hang_once)
    async with running(new_relay(publisher, publish_timeout_seconds=0.2)):
        await until(lambda: is_empty(pool))
    assert publisher.first_values_by_key() == IN_ORDER
    assert calls > 1


async def test_rows_wait_while_kafka_is_away_and_the_relay_says_so(pool: Pool, new_relay: NewRelay) -> None:
    away = True

    async def refuse(_: Sequence[Outgoing]) -> None:
        if away:
            raise ConnectionRefusedError

    publisher = RecordingPublisher(refuse)
    relay = new_relay(publisher)
    async with running(relay):
        await _write_numbers(pool)
        await until(lambda: _says(relay.trouble(), "Kafka (ConnectionRefusedError, 1 shards)"))
        assert await pool.fetchval("SELECT count(*) FROM outbox") == len(NUMBERS)
        away = False
        await until(lambda: is_empty(pool))
        assert relay.trouble() is None
    assert publisher.first_values_by_key() == IN_ORDER


async def _says(trouble: str | None, expected: str) -> bool:
    return trouble is not None and expected in trouble


async def test_a_row_that_kafka_refuses_holds_up_its_shard_only(pool: Pool, new_relay: NewRelay) -> None:
    other = next(f"k{n}" for n in range(99) if shard_of(f"k{n}".encode()) != shard_of(b"key"))
    await write(pool, [message("key", v) for v in ("1", "2", "refused", "3")] + [message(other, "free")])

    async def refuse(messages: Sequence[Outgoing]) -> None:
        if any(m.value == b"refused" for m in messages):
            raise ValueError

    publisher = RecordingPublisher(refuse)
    async with running(new_relay(publisher, batch_rows=4)):
        await until(lambda: _left(pool, 2))
    assert sorted(publisher.values()) == [b"1", b"2", b"free"]


async def _left(pool: Pool, rows: int) -> bool:
    return bool(await pool.fetchval("SELECT count(*) FROM outbox") == rows)


async def test_a_crash_of_the_publisher_ends_the_relay_and_keeps_the_rows(pool: Pool, new_relay: NewRelay) -> None:
    await _write_numbers(pool)

    async def crash(_: Sequence[Outgoing]) -> None:
        raise Crash("the producer is dead")

    with pytest.raises(Crash):
        await asyncio.wait_for(new_relay(RecordingPublisher(crash)).run(), timeout=10)
    assert await pool.fetchval("SELECT count(*) FROM outbox") == len(NUMBERS)


async def test_a_stopping_relay_finishes_what_is_under_way(pool: Pool, new_relay: NewRelay) -> None:
    await _write_numbers(pool)
    begun = asyncio.Event()

    async def slow(_: Sequence[Outgoing]) -> None:
        begun.set()
        await asyncio.sleep(0.3)

    publisher = RecordingPublisher(slow)
    async with running(new_relay(publisher, batch_rows=10)):
        await begun.wait()
    assert publisher.values() == IN_ORDER[b"key"][:10]
    assert await pool.fetchval("SELECT count(*) FROM outbox") == 20


async def test_a_relay_that_hangs_at_the_stop_is_cut_off(pool: Pool, new_relay: NewRelay) -> None:
    await _write_numbers(pool)
    begun = asyncio.Event()

    async def hang(_: Sequence[Outgoing]) -> None:
        begun.set()
        await asyncio.Event().wait()

    async with asyncio.timeout(10), running(new_relay(RecordingPublisher(hang), drain_seconds=0.2)):
        await begun.wait()
    assert await pool.fetchval("SELECT count(*) FROM outbox") == len(NUMBERS)


async def test_a_batch_is_bounded_in_bytes_but_never_empty(pool: Pool, new_relay: NewRelay) -> None:
    await write(pool, [message("key", letter * 1000) for letter in "abcd"])

    publisher = RecordingPublisher()
    async with running(new_relay(publisher, batch_bytes=1500)):
        await until(lambda: is_empty(pool))
    assert publisher.batches == [2, 2]


HANGING_RELAY = """
import asyncio, json, sys
from chassis.outbox import Relay, RelaySettings
from chassis.postgres import PostgresSettings

class Hanging:
    async def publish_all(self, messages):
        print(len(messages), flush=True)
        await asyncio.Event().wait()

relay = Relay(PostgresSettings(), Hanging(), schema="sample", application_name="killed", settings=RelaySettings())
asyncio.run(relay.run())
"""


async def test_a_killed_relays_rows_are_published_by_another(
    pool: Pool, new_relay: NewRelay, database_dsn: str
) -> None:
    await _write_numbers(pool)
    environment = {**os.environ, "POSTGRES_DSN": database_dsn}
    killed = await asyncio.create_subprocess_exec(
        sys.executable, "-c", HANGING_RELAY, env=environment, stdout=asyncio.subprocess.PIPE
    )
    assert killed.stdout
    assert int(await killed.stdout.readline()) == len(NUMBERS)

    publisher = RecordingPublisher()
    async with running(new_relay(publisher)):
        killed.send_signal(signal.SIGKILL)
        await killed.wait()
        await until(lambda: is_empty(pool))
    assert publisher.first_values_by_key() == IN_ORDER
