"""The session with PostgreSQL that makes this process the one that fetches: its locks, positions and coverage.

Everything is written through the session that holds the locks: whoever has lost them can write no more.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, Protocol

from chassis.postgres import (
    POSTGRES_UNAVAILABLE,
    Connection,
    PostgresSettings,
    Session,
    closed_means_unavailable,
    connect,
)
from services.ingest.fetching.coverage import CoverageChange, Facts, Gap, Reason, Standing, State
from services.ingest.heartbeats import Beat, forget_refusals, heartbeats

_CLOSE_SECONDS: Final = 2.0
_LEAD: Final = "SELECT pg_try_advisory_lock(hashtextextended(current_schema() || '.fetching.' || $1, 0))"
_LEAVE: Final = "SELECT pg_advisory_unlock(hashtextextended(current_schema() || '.fetching.' || $1, 0))"
_POSITION: Final = "SELECT position FROM cursor WHERE integration = $1"
_MOVE: Final = """
INSERT INTO cursor (integration, position) VALUES ($1, $2)
ON CONFLICT (integration) DO UPDATE SET position = excluded.position, updated_at = now()"""
_STANDING: Final = "SELECT * FROM coverage WHERE integration = $1"
_KEEP_STANDING: Final = """
INSERT INTO coverage (integration, tenant, reason, gap_since, listening_since, heard_at, checked_at, failing_since,
                      failure)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (integration) DO UPDATE SET
    tenant = excluded.tenant, reason = excluded.reason, gap_since = excluded.gap_since,
    listening_since = excluded.listening_since, heard_at = excluded.heard_at, checked_at = excluded.checked_at,
    failing_since = excluded.failing_since, failure = excluded.failure, updated_at = now()"""


class CoverageSink(Protocol):
    """Where changes of coverage are told."""

    async def changed(self, connection: Connection, change: CoverageChange) -> None:
        """Promise the event in the transaction of `connection`, which also keeps the state: both or none."""

    async def missed(self, connection: Connection, gap: Gap) -> None:
        """Promise the event in the transaction of `connection`, which also keeps what ends the gap: both or none."""


class SessionLost(ConnectionError):  # noqa: N818 - named after the event
    """The session with PostgreSQL has ended, and with it the locks: somebody else may fetch by now."""


class FetchingSession:
    """One connection for all integrations of the process; its statements wait for each other."""

    def __init__(self, connection: Session) -> None:
        self._connection = connection
        self._turn = asyncio.Lock()
        self._led = set[str]()

    async def ended(self) -> None:
        """Wait until the session is lost, then raise `SessionLost`."""
        ended = asyncio.Event()
        self._connection.add_termination_listener(lambda _: ended.set())
        if not self._connection.is_closed():
            await ended.wait()
        raise SessionLost

    async def lead(self, integration: str) -> bool:
        """Try to be the one who fetches for the integration, for as long as the session lives; again is no other."""
        if integration not in self._led:
            async with self._exclusively() as connection:
                if await connection.fetchval(_LEAD, integration):
                    self._led.add(integration)
        return integration in self._led

    async def leave(self, integration: str) -> None:
        """Let others fetch for the integration; nothing happens where we do not lead."""
        if integration in self._led:
            async with self._exclusively() as connection:
                await connection.execute(_LEAVE, integration)
            self._led.discard(integration)

    async def position(self, integration: str) -> bytes | None:
        """Where to go on, or None where nothing was ever fetched."""
        async with self._exclusively() as connection:
            position: bytes | None = await connection.fetchval(_POSITION, integration)
            return position

    async def move(self, integration: str, position: bytes) -> None:
        """Remember that everything before `position` is kept."""
        async with self._exclusively() as connection:
            await connection.execute(_MOVE, integration, position)

    async def move_over(self, gap: Gap, position: bytes, sink: CoverageSink) -> None:
        """Go on behind what can never be had, and tell of it in the same transaction."""
        async with self._exclusively() as connection, connection.transaction():
            await connection.execute(_MOVE, gap.integration, position)
            await sink.missed(connection, gap)

    async def standing(self, integration: str) -> tuple[Facts, State] | None:
        """What was last kept, or None at the first time."""
        async with self._exclusively() as connection:
            row = await connection.fetchrow(_STANDING, integration)
        if row is None:
            return None
        facts = Facts(
            row["listening_since"], row["heard_at"], row["checked_at"], row["failing_since"], _reason(row["failure"])
        )
        return facts, State(_reason(row["reason"]), row["gap_since"])

    async def keep_standing(
        self, standing: Standing, before: State, sink: CoverageSink, gap: Gap | None = None
    ) -> None:
        """Keep how an integration stands; a new reason, and a gap, are told of in the same transaction."""
        state, facts = standing.state, standing.facts
        columns = (
            _name(state.reason),
            state.since,
            facts.since,
            facts.heard_at,
            facts.checked_at,
            facts.failing_since,
            _name(facts.failure),
        )
        async with self._exclusively() as connection, connection.transaction():
            await connection.execute(_KEEP_STANDING, standing.integration, standing.tenant, *columns)
            if state.reason is not before.reason:
                change = CoverageChange(standing.integration, standing.tenant, before, state, facts.heard_at)
                await sink.changed(connection, change)
            if gap is not None:
                await sink.missed(connection, gap)

    async def heartbeats(self) -> dict[str, Beat]:
        """What is known of the accounts that deliver by themselves."""
        async with self._exclusively() as connection:
            return await heartbeats(connection)

    async def forget_refusals(self, integration: str) -> None:
        """Count the refusals of an account anew."""
        async with self._exclusively() as connection:
            await forget_refusals(connection, integration)

    @asynccontextmanager
    async def _exclusively(self) -> AsyncIterator[Session]:
        async with self._turn:
            try:
                with closed_means_unavailable():
                    yield self._connection
            except POSTGRES_UNAVAILABLE as error:
                self._connection.terminate()
                raise SessionLost from error


@asynccontextmanager
async def open_session(
    settings: PostgresSettings, *, schema: str, purpose: str = "fetching"
) -> AsyncIterator[FetchingSession]:
    """Open the session; leaving it gives up all locks. Raises one of POSTGRES_UNAVAILABLE."""
    connection = await connect(settings, schema=schema, application_name=f"{schema}-{purpose}")
    try:
        yield FetchingSession(connection)
    finally:
        try:
            await connection.close(timeout=_CLOSE_SECONDS)
        except POSTGRES_UNAVAILABLE:
            connection.terminate()


def _reason(name: str | None) -> Reason | None:
    return Reason[name] if name else None


def _name(reason: Reason | None) -> str | None:
    return reason.name if reason else None
