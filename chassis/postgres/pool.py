"""Connections of one service: its schema as search_path, its role, and a limit on every wait."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, cast

import asyncpg
import structlog

from chassis.postgres.errors import POSTGRES_UNAVAILABLE, closed_means_unavailable
from chassis.postgres.settings import PostgresSettings
from chassis.postgres.types import Connection, Pool, Session

_RETRY_SECONDS = 0.5
_CLOSE_SECONDS = 5.0
_IDLE_IN_TRANSACTION = "60s"
_log = structlog.get_logger(__name__)


class _BoundedPool(asyncpg.Pool):  # type: ignore[misc]  # asyncpg has no types
    """asyncpg waits for a free connection for ever unless each call says otherwise."""

    acquire_timeout_seconds: float

    def acquire(self, *, timeout: float | None = None) -> Any:  # noqa: ANN401 - asyncpg has no types
        return super().acquire(timeout=timeout or self.acquire_timeout_seconds)


@asynccontextmanager
async def open_pool(settings: PostgresSettings, *, schema: str, application_name: str) -> AsyncIterator[Pool]:
    """Open a pool whose statements find the tables of `schema` by their bare names.

    Waits for a server that is still starting, up to the start-up deadline; then raises what was wrong.
    """
    pool = await _until_up(settings, schema, application_name)
    try:
        yield pool
    finally:
        await _close(pool)


async def connect(
    settings: PostgresSettings,
    *,
    schema: str,
    application_name: str,
    server_settings: Mapping[str, str] | None = None,
) -> Session:
    """Open one connection outside any pool, for what lives as long as its session, such as advisory locks."""
    arguments = _arguments(settings, schema, application_name)
    arguments["server_settings"].update(server_settings or {})
    return cast("Session", await asyncpg.connect(**arguments))


@asynccontextmanager
async def transaction(pool: Pool) -> AsyncIterator[Connection]:
    """Borrow a connection for one transaction; a server that goes away raises one of POSTGRES_UNAVAILABLE."""
    with closed_means_unavailable():
        async with pool.acquire() as connection, connection.transaction():
            yield connection


async def _until_up(settings: PostgresSettings, schema: str, application_name: str) -> _BoundedPool:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + settings.startup_deadline_seconds
    while True:
        try:
            return await _create(settings, schema, application_name)
        except POSTGRES_UNAVAILABLE as error:
            if loop.time() + _RETRY_SECONDS > deadline:
                raise
            _log.info("postgres_awaited", schema=schema, error_class=type(error).__name__)
            await asyncio.sleep(_RETRY_SECONDS)


async def _create(settings: PostgresSettings, schema: str, application_name: str) -> _BoundedPool:
    pool = _BoundedPool(
        **_arguments(settings, schema, application_name),
        min_size=min(settings.pool_min_size, settings.pool_max_size),
        init_size=1,
        max_size=settings.pool_max_size,
        max_queries=50_000,
        max_inactive_connection_lifetime=300.0,
        loop=None,
        connection_class=asyncpg.Connection,
        record_class=asyncpg.Record,
        reset=_nothing_to_reset,
    )
    pool.acquire_timeout_seconds = settings.acquire_timeout_seconds
    await pool
    return pool


async def _nothing_to_reset(_: object) -> None:
    """Spare the statement that asyncpg sends whenever a connection comes back: what it undoes, nobody may do."""


def _arguments(settings: PostgresSettings, schema: str, application_name: str) -> dict[str, Any]:
    server_settings = {
        "application_name": application_name,
        "search_path": schema,
        "statement_timeout": f"{settings.statement_timeout_seconds:.3f}s",
        "idle_in_transaction_session_timeout": _IDLE_IN_TRANSACTION,
        # A host that vanished is noticed in half a minute, so that its locks do not outlive it for hours.
        "tcp_keepalives_idle": "10",
        "tcp_keepalives_interval": "5",
        "tcp_keepalives_count": "3",
    }
    if role := settings.role_for(schema):
        server_settings["role"] = role
    return {
        "dsn": settings.dsn.get_secret_value(),
        "timeout": settings.connect_timeout_seconds,
        "command_timeout": settings.command_timeout_seconds,
        "server_settings": server_settings,
    }


async def _close(pool: _BoundedPool) -> None:
    """Let borrowed connections come back, then cut the rest."""
    try:
        async with asyncio.timeout(_CLOSE_SECONDS):
            await pool.close()
    except POSTGRES_UNAVAILABLE:
        pool.terminate()
