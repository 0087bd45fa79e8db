"""A schema like a service's own, made of the canonical outbox and inbox."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from chassis.migrations import migrate
from chassis.outbox import Publisher, Relay, RelaySettings
from chassis.postgres import Pool, PostgresSettings, open_pool

SQL = Path(__file__).parents[3] / "chassis" / "sql"
SCHEMA = "sample"


@pytest.fixture
def migrations(tmp_path: Path) -> Path:
    """A directory of migrations that makes an outbox and an inbox."""
    text = "\n".join((SQL / name).read_text() for name in ("outbox.sql", "inbox.sql"))
    (tmp_path / "0001_outbox_inbox.sql").write_text(f"-- migrate:up\n{text}\n-- migrate:down\n")
    return tmp_path


@pytest.fixture
async def postgres_settings(database_dsn: str, migrations: Path) -> PostgresSettings:
    """Settings that lead to a database with the schema `sample`."""
    await asyncio.to_thread(migrate, database_dsn, SCHEMA, migrations)
    return PostgresSettings.model_validate({"dsn": database_dsn})


@pytest.fixture
async def pool(postgres_settings: PostgresSettings) -> AsyncIterator[Pool]:
    async with open_pool(postgres_settings, schema=SCHEMA, application_name="test") as pool:
        yield pool


@pytest.fixture
def new_relay(postgres_settings: PostgresSettings) -> Callable[..., Relay]:
    """Make a relay of the schema `sample` that is quicker than the defaults."""

    def new(publisher: Publisher, *, name: str = "relay", **settings: float) -> Relay:
        quick = {"poll_seconds": 0.02, "share_seconds": 0.1, "backoff_max_seconds": 0.2}
        return Relay(
            postgres_settings,
            publisher,
            schema=SCHEMA,
            application_name=name,
            settings=RelaySettings.model_validate({**quick, **settings}),
        )

    return new
