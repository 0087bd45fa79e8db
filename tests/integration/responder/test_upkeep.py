"""Upkeep costs what waits, not what ever was, and outlives what PostgreSQL refuses it."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from chassis.postgres import Connection, Pool, PostgresSettings, Row, open_pool, transaction
from services.responder import jobs, replies
from services.responder.reply import State
from tests.integration.responder.desk import START, Desk
from tests.integration.responder.serving import until

pytestmark = pytest.mark.integration


class Explaining:
    """Answers no rows, and remembers how PostgreSQL would have found them in a table too large to be read whole."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.plan = ""

    async def fetch(self, query: str, *args: object) -> list[Row]:
        await self._connection.execute("SET LOCAL enable_seqscan = off")
        self.plan = "\n".join(row["QUERY PLAN"] for row in await self._connection.fetch(f"EXPLAIN {query}", *args))
        return []


async def test_drafts_that_expire_are_found_by_an_index_of_those_that_wait(pool: Pool) -> None:
    async with transaction(pool) as connection:
        explaining = Explaining(connection)
        await replies.load_expired(explaining, START, 100)  # type: ignore[arg-type]  # it asks by fetch alone
        assert "Index Scan using reply_pending" in explaining.plan
        assert "Sort" not in explaining.plan


async def test_what_waits_is_counted_by_an_index_of_it(pool: Pool) -> None:
    async with transaction(pool) as connection:
        explaining = Explaining(connection)
        await jobs.count_waiting(explaining)  # type: ignore[arg-type]  # it asks by fetch alone
        assert "reply_waiting" in explaining.plan


async def test_the_drafts_that_wait_longest_expire_first(desk: Desk) -> None:
    waited = await drafted_in_turn(desk, 3)
    desk.move(hours=73)
    async with transaction(desk.pool) as connection:
        found = await replies.load_expired(connection, desk.now - timedelta(hours=72), 2)
    assert [reply.reply_id for reply in found] == waited[:2]


async def drafted_in_turn(desk: Desk, count: int) -> Sequence[object]:
    found = []
    for number in range(count):
        await desk.ask(native_id=f"q{number}", thread=f"t{number}")
        found.append((await desk.draft()).reply_id)
        desk.move(minutes=1)
    return found


async def test_upkeep_outlives_a_statement_that_is_given_up(postgres: PostgresSettings, desk: Desk) -> None:
    await desk.ask()
    reply = await desk.draft()
    impatient = postgres.model_copy(update={"statement_timeout_seconds": 0.05})
    async with open_pool(impatient, schema="responder", application_name="test") as pool:
        other = Desk(pool, now=desk.now + timedelta(hours=73))
        with capture_logs() as logged:
            async with transaction(desk.pool) as connection:
                await connection.execute("LOCK TABLE reply")
                working = asyncio.create_task(other.upkeep.run())

                async def has_given_up() -> bool:
                    return working.done() or any(line["event"] == "postgres_refused" for line in logged)

                await until(has_given_up)

        async def expired() -> bool:
            return working.done() or (await desk.reply(reply.reply_id)).state is State.STALE

        await until(expired)
        assert not working.done()
        working.cancel()
