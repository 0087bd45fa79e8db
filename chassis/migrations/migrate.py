"""`migrate`: one service's schema, role and tables as its SQL files say, safe to run anywhere at any time."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

from chassis.migrations.bootstrap import check_schema, ensure_schema
from chassis.migrations.dbmate import apply_migrations, dbmate_url
from chassis.migrations.errors import MigrationError
from chassis.postgres.errors import POSTGRES_UNAVAILABLE
from chassis.postgres.types import Session

_CONNECT_SECONDS = 5.0
_RETRY_SECONDS = 0.25
_APPLY_SECONDS = 600.0
_CLOSE_SECONDS = 5.0


def migrate(dsn: str, schema: str, directory: Path, *, wait_seconds: float = 30.0) -> None:
    """Make `schema` and the role `ascolto_<schema>`, then apply the files of `directory` that are new to it.

    Waits up to `wait_seconds` for the server, and for another `migrate` of the same schema to end. The user of
    `dsn` must be allowed to create schemas and roles, and becomes the owner of the tables. Call it outside an
    event loop, or through `asyncio.to_thread`. Raises MigrationError.
    """
    check_schema(schema)
    if not directory.is_dir():
        raise MigrationError(f"{directory}: there is no such directory of migrations")
    asyncio.run(_migrate(dsn, schema, directory, wait_seconds))


async def _migrate(dsn: str, schema: str, directory: Path, wait_seconds: float) -> None:
    async with _session(dsn, wait_seconds) as session:
        # Held until the session ends: dbmate works in a session of its own meanwhile.
        await session.execute("SELECT pg_advisory_lock(hashtext('ascolto.migrate'), hashtext($1))", schema)
        await ensure_schema(session, schema)
        encrypted = await session.fetchval("SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid()")
        url = dbmate_url(dsn, schema, encrypted=encrypted)
        await apply_migrations(url, schema, directory, timeout_seconds=_APPLY_SECONDS)


@asynccontextmanager
async def _session(dsn: str, wait_seconds: float) -> AsyncIterator[Session]:
    session = await _connect(dsn, wait_seconds)
    try:
        yield session
    finally:
        await session.close(timeout=_CLOSE_SECONDS)


async def _connect(dsn: str, wait_seconds: float) -> Session:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + wait_seconds
    while True:
        try:
            session: Session = await asyncpg.connect(dsn, timeout=_CONNECT_SECONDS)
        except POSTGRES_UNAVAILABLE as error:
            if loop.time() >= deadline:
                raise MigrationError(
                    f"PostgreSQL did not answer within {wait_seconds:g} s ({type(error).__name__}); check POSTGRES_DSN"
                ) from error
            await asyncio.sleep(_RETRY_SECONDS)
        else:
            return session
