"""A PostgreSQL that stops and starts again under pool and relay: both wait, heal, and lose nothing."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from chassis.migrations import migrate
from chassis.outbox import Relay, RelaySettings
from chassis.postgres import POSTGRES_UNAVAILABLE, Pool, PostgresSettings, open_pool
from local.settings import ExternalServers
from local.stack import Stack
from tests.integration.chassis.outboxes import RecordingPublisher, is_empty, message, running, until, write

pytestmark = pytest.mark.integration


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A server of these tests' own, because they stop it."""
    none = ExternalServers(bootstrap_servers=None, postgres_dsn=None)
    stack = Stack(tmp_path_factory.mktemp("restart"), kafka=False, external=none)
    stack.start()
    yield stack
    stack.stop()


@pytest.fixture
async def settings(server: Stack, migrations: Path) -> PostgresSettings:
    await asyncio.to_thread(migrate, server.postgres_dsn, "sample", migrations)
    return PostgresSettings.model_validate({"dsn": server.postgres_dsn})


@pytest.fixture
async def pool(settings: PostgresSettings) -> AsyncIterator[Pool]:
    async with open_pool(settings, schema="sample", application_name="test") as pool:
        yield pool


async def _answers(pool: Pool) -> bool:
    try:
        return bool(await pool.fetchval("SELECT true"))
    except POSTGRES_UNAVAILABLE:
        return False


@pytest.mark.parametrize("end", ["stop", "kill"])
async def test_work_goes_on_after_a_restart(server: Stack, settings: PostgresSettings, pool: Pool, end: str) -> None:
    publisher = RecordingPublisher()
    relay = Relay(settings, publisher, schema="sample", application_name="relay", settings=RelaySettings())
    async with running(relay):
        await write(pool, [message("key", "before")])
        await until(lambda: is_empty(pool))
        await asyncio.to_thread(getattr(server.postgres, end))
        with pytest.raises(POSTGRES_UNAVAILABLE):
            await write(pool, [message("key", "never accepted")])
        await until(lambda: _waits_for_postgres(relay))
        await asyncio.to_thread(server.postgres.start)
        await until(lambda: _answers(pool))
        await write(pool, [message("key", "after")])
        await until(lambda: is_empty(pool))
    assert publisher.first_values_by_key() == {b"key": [b"before", b"after"]}


async def _waits_for_postgres(relay: Relay) -> bool:
    return "waits for PostgreSQL" in (relay.trouble() or "")
