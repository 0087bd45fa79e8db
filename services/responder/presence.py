"""Who works on the read models: services share them, a rebuild wants them alone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import structlog

from chassis.errors import Crash
from chassis.postgres import POSTGRES_UNAVAILABLE, PostgresSettings, connect
from chassis.postgres.types import Session
from chassis.rebuilding import rebuilding_session

SCHEMA: Final = "responder"
_LOCK: Final = "hashtext(current_schema() || '.read-models'), 0"
_RECONNECT_SECONDS: Final = 0.5
_log = structlog.get_logger(__name__)


async def keep_present(settings: PostgresSettings, present: asyncio.Event) -> None:
    """Hold the shared lock until cancelled, over reconnects; `present` is set when it is held first.

    Raises Crash while a rebuild holds the read models.
    """
    while True:
        try:
            await _present_once(settings, present)
        except POSTGRES_UNAVAILABLE as error:
            _log.warning("postgres_awaited", worker="presence", error_class=type(error).__name__)
        await asyncio.sleep(_RECONNECT_SECONDS)


async def _present_once(settings: PostgresSettings, present: asyncio.Event) -> None:
    session = await connect(settings, schema=SCHEMA, application_name="responder-presence")
    try:
        if not await session.fetchval(f"SELECT pg_try_advisory_lock_shared({_LOCK})"):
            raise Crash("the read models are being rebuilt: start the responder again when that is done")
        present.set()
        await _ended(session)
    finally:
        session.terminate()


@asynccontextmanager
async def alone(settings: PostgresSettings) -> AsyncIterator[Session]:
    """A session that has the read models for itself; raises Crash where a responder runs."""
    async with rebuilding_session(settings, schema=SCHEMA) as session:
        if not await session.fetchval(f"SELECT pg_try_advisory_lock({_LOCK})"):
            raise Crash("a responder (or another rebuild) is running: stop every replica, then rebuild")
        yield session


async def _ended(session: Session) -> None:
    ended = asyncio.Event()
    session.add_termination_listener(lambda _: ended.set())
    if not session.is_closed():
        await ended.wait()
