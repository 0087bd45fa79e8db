"""The runner: attends to all integrations that are fetched, in one session, and follows who comes and goes."""

import asyncio
from collections.abc import Callable, Mapping
from typing import NamedTuple

import structlog

from chassis.clock import Clock
from chassis.postgres import POSTGRES_UNAVAILABLE, PostgresSettings
from contracts.integrations import Integration
from services.ingest.accept import Acceptor
from services.ingest.fetching.attendance import Attendance, Listener, Pace
from services.ingest.fetching.session import CoverageSink, FetchingSession, open_session
from services.ingest.fetching.source import InvalidConnection
from services.ingest.fetching.watch import Watch

Roster = Callable[[], Mapping[str, Integration]]
"""The integrations to fetch at this moment, by id."""
OpenListener = Callable[[Integration], Listener]
"""Makes ready to listen, without a call; raises `InvalidConnection`."""

_log = structlog.get_logger(__name__)


class _Attended(NamedTuple):
    integration: Integration
    task: asyncio.Task[None]


class Fetching:
    """All fetched integrations of the process, each fetched by one process at a time. `run` it until cancelled.

    Losing PostgreSQL stops all of them, because the locks are lost; they go on from their saved positions. Nothing
    else that happens to one of them concerns the others.
    """

    def __init__(  # noqa: PLR0913 - the parts that it joins
        self,
        roster: Roster,
        open_listener: OpenListener,
        acceptor: Acceptor,
        sink: CoverageSink,
        clock: Clock,
        *,
        pace: Pace | None = None,
    ) -> None:
        self._roster = roster
        self._open_listener = open_listener
        self._acceptor = acceptor
        self._sink = sink
        self._clock = clock
        self._pace = pace or Pace()
        self._invalid: dict[str, Integration] = {}

    async def run(self, settings: PostgresSettings, *, schema: str) -> None:
        """Fetch over every reconnect to PostgreSQL."""
        while True:
            try:
                async with open_session(settings, schema=schema) as session:
                    await self._attend(session)
            except* POSTGRES_UNAVAILABLE as lost:
                _log.warning("fetching_session_lost", error_class=type(lost.exceptions[0]).__name__)
            await asyncio.sleep(self._pace.reconnect_seconds)

    def invalid(self) -> Mapping[str, Integration]:
        """Those that cannot be fetched as they are configured."""
        return self._invalid

    def trouble(self) -> str | None:
        """Which integrations cannot be fetched as they are configured: a check for `Health.add_degradation`."""
        return f"integrations that cannot be fetched: {', '.join(sorted(self._invalid))}" if self._invalid else None

    async def _attend(self, session: FetchingSession) -> None:
        watch = Watch(session, self._sink, self._clock)
        attended: dict[str, _Attended] = {}
        async with asyncio.TaskGroup() as group:
            group.create_task(session.ended())
            group.create_task(watch.run(self._pace.watch_seconds))
            while True:
                wanted = self._roster()
                await _leave(attended, wanted, session, watch)
                self._invalid = {name: each for name, each in self._invalid.items() if wanted.get(name) == each}
                for name in wanted.keys() - attended.keys() - self._invalid.keys():
                    if attendance := self._attendance(wanted[name], session, watch):
                        task = group.create_task(attendance.run(), name=f"fetch-{name}")
                        attended[name] = _Attended(wanted[name], task)
                await asyncio.sleep(self._pace.roster_seconds)

    def _attendance(self, integration: Integration, session: FetchingSession, watch: Watch) -> Attendance | None:
        try:
            listener = self._open_listener(integration)
        except Exception as error:  # noqa: BLE001 - one that cannot be opened must not keep the others from it
            self._invalid[integration.id] = integration
            problem = str(error) if isinstance(error, InvalidConnection) else type(error).__name__
            _log.error("integration_not_fetched", integration=integration.id, problem=problem, exc_info=error)
            return None
        return Attendance(integration.id, listener, session, watch, self._acceptor, self._clock, self._pace)


async def _leave(
    attended: dict[str, _Attended], wanted: Mapping[str, Integration], session: FetchingSession, watch: Watch
) -> None:
    """Stop what is wanted no more, or otherwise than before; its position stays."""
    for name in [name for name, each in attended.items() if wanted.get(name) != each.integration]:
        task = attended.pop(name).task
        task.cancel()
        await asyncio.wait({task})
        watch.end(name)
        await session.leave(name)
