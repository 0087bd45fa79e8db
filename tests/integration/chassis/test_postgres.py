"""The pool on the real PostgreSQL: schema, role and limits are set, and a server that is away is known as such."""

import asyncio
import time

import asyncpg
import pytest

from chassis.postgres import POSTGRES_UNAVAILABLE, Pool, PostgresSettings, open_pool, transaction
from tests.integration.chassis.outboxes import end_sessions

pytestmark = pytest.mark.integration


def _settings(dsn: str, **values: object) -> PostgresSettings:
    return PostgresSettings.model_validate({"dsn": dsn, **values})


async def test_statements_run_in_the_schema_and_as_its_role(pool: Pool) -> None:
    row = await pool.fetchrow("SELECT current_schema() AS schema, current_user AS role")

    assert row is not None
    assert dict(row) == {"schema": "sample", "role": "ascolto_sample"}


async def test_an_empty_role_keeps_the_user_of_the_dsn(postgres_settings: PostgresSettings) -> None:
    settings = postgres_settings.model_copy(update={"role": ""})

    async with open_pool(settings, schema="sample", application_name="test") as pool:
        assert await pool.fetchval("SELECT current_user = session_user")


async def test_a_slow_statement_is_given_up_by_the_server(postgres_settings: PostgresSettings) -> None:
    settings = postgres_settings.model_copy(update={"statement_timeout_seconds": 0.2})

    async with open_pool(settings, schema="sample", application_name="test") as pool:
        with pytest.raises(asyncpg.QueryCanceledError):
            await pool.execute("SELECT pg_sleep(5)")


async def test_waiting_for_a_connection_ends(postgres_settings: PostgresSettings) -> None:
    settings = postgres_settings.model_copy(update={"pool_max_size": 1, "acquire_timeout_seconds": 0.2})

    async with open_pool(settings, schema="sample", application_name="test") as pool, pool.acquire():
        with pytest.raises(POSTGRES_UNAVAILABLE):
            await pool.fetchval("SELECT 1")


async def test_an_absent_server_is_awaited_then_reported(unused_tcp_port: int) -> None:
    dsn = f"postgresql://nobody@127.0.0.1:{unused_tcp_port}/none"
    started = time.monotonic()

    with pytest.raises(POSTGRES_UNAVAILABLE):
        async with open_pool(_settings(dsn, startup_deadline_seconds=1.2), schema="sample", application_name="test"):
            pytest.fail("there is no server")
    assert 0.9 < time.monotonic() - started < 5


async def test_a_wrong_database_is_reported_at_once(postgres_dsn: str) -> None:
    settings = _settings(postgres_dsn.rsplit("/", 1)[0] + "/no_such_database")

    with pytest.raises(asyncpg.InvalidCatalogNameError):
        async with open_pool(settings, schema="sample", application_name="test"):
            pytest.fail("there is no such database")


async def test_a_transaction_rolls_back_when_its_block_raises(pool: Pool) -> None:
    with pytest.raises(LookupError):  # noqa: PT012 - leaving the block is tested too
        async with transaction(pool) as connection:
            await connection.execute("INSERT INTO inbox (consumer, event_id) VALUES ('a', gen_random_uuid())")
            raise LookupError
    assert await pool.fetchval("SELECT count(*) FROM inbox") == 0


async def test_a_session_that_dies_inside_a_transaction_counts_as_unavailable(pool: Pool, database_dsn: str) -> None:
    with pytest.raises(POSTGRES_UNAVAILABLE):  # noqa: PT012 - leaving the block is tested too
        async with transaction(pool) as connection:
            await connection.execute("SELECT 1")
            await end_sessions(database_dsn, "test")
            await asyncio.sleep(0)
            await connection.execute("SELECT 1")
            pytest.fail("the session is dead")


async def test_a_session_that_dies_between_statements_counts_as_unavailable(pool: Pool, database_dsn: str) -> None:
    with pytest.raises(POSTGRES_UNAVAILABLE):  # noqa: PT012 - leaving the block is tested too
        async with transaction(pool) as connection:
            await end_sessions(database_dsn, "test")
            async with asyncio.timeout(5):
                while not connection.is_closed():  # noqa: ASYNC110 - the server ends it
                    await asyncio.sleep(0.01)
            await connection.execute("SELECT 1")


async def test_the_pool_heals_by_itself(pool: Pool, database_dsn: str) -> None:
    await pool.fetchval("SELECT 1")
    await end_sessions(database_dsn, "test")

    async with asyncio.timeout(5):
        while True:
            try:
                answer = await pool.fetchval("SELECT 1")
                break
            except POSTGRES_UNAVAILABLE:
                continue
    assert answer == 1
