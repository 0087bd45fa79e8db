"""Marks this process as a running service in the database, so that no rebuild starts beside it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import asyncpg
import structlog

from chassis.errors import Crash
from chassis.postgres import POSTGRES_UNAVAILABLE, PostgresSettings, Session, connect
from services.feedback.store.locks import claim_presence

_RETRY_SECONDS: Final = 1.0
_CLOSE_SECONDS: Final = 2.0
_NOT_NOW: Final[tuple[type[BaseException], ...]] = (
    *POSTGRES_UNAVAILABLE,
    asyncpg.PostgresError,
    asyncpg.InterfaceError,  # the new session died before it was asked
    Crash,
)
_log = structlog.get_logger(__name__)


class Presence:
    """Holds a session with a shared lock. Raises Crash where a rebuild is under way.

    While the session is lost a rebuild may begin: its lock on folding then keeps the two apart, and we wait.
    """

    def __init__(self, settings: PostgresSettings, *, schema: str) -> None:
        self._settings = settings
        self._schema = schema
        self._session: Session | None = None
        self._lost = asyncio.Event()

    async def claim(self) -> None:
        """Open the session and take the lock."""
        session = await connect(self._settings, schema=self._schema, application_name=f"{self._schema}-presence")
        try:
            claimed = await claim_presence(session)
        except BaseException:
            session.terminate()
            raise
        if not claimed:
            await session.close(timeout=_CLOSE_SECONDS)
            raise Crash("the read models are being rebuilt: start again when that has ended")
        self._lost.clear()
        session.add_termination_listener(lambda _: self._lost.set())
        if session.is_closed():  # before we listened
            self._lost.set()
        self._session = session

    async def keep(self) -> None:
        """Claim again whenever the session was lost; until cancelled."""
        while True:
            await self._lost.wait()
            try:
                await self.claim()
            except _NOT_NOW as error:
                _log.warning("presence_unclaimed", error_class=type(error).__name__)
                await asyncio.sleep(_RETRY_SECONDS)

    async def give_up(self) -> None:
        """Close the session: a rebuild may begin."""
        if self._session is not None:
            await self._session.close(timeout=_CLOSE_SECONDS)


@asynccontextmanager
async def present(settings: PostgresSettings, *, schema: str) -> AsyncIterator[Presence]:
    """Present inside the block."""
    presence = Presence(settings, schema=schema)
    await presence.claim()
    try:
        yield presence
    finally:
        await presence.give_up()
