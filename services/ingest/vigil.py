"""The vigil: tells how those accounts stand that nobody fetches, as they deliver or were disabled."""

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import Final, NamedTuple

import asyncpg
import structlog

from chassis.clock import Clock
from chassis.postgres import POSTGRES_UNAVAILABLE, PostgresSettings
from contracts.integrations import Integration
from services.ingest.fetching.coverage import Expectation, Reason, State
from services.ingest.fetching.opening import FETCHED_KINDS, expectation_of
from services.ingest.fetching.session import CoverageSink, FetchingSession, open_session
from services.ingest.fetching.source import InvalidConnection
from services.ingest.fetching.watch import Watch
from services.ingest.heartbeats import after
from services.ingest.registry import Resting
from services.ingest.sources import Sources

EVERY_SECONDS: Final = 5.0
_ALL: Final = ".vigil"
"""The lock of whoever watches all of them; no integration has such an id."""
_REPEATED_KINDS: Final = FETCHED_KINDS | {"import"}
"""What is refused comes again: it is asked for from where it was, or handed in once more."""
_log = structlog.get_logger(__name__)


class Charge(NamedTuple):
    """An account that is watched over."""

    integration: Integration
    resting: Resting | None = None
    """Why it listens to nothing; None: it is delivered to."""


Charges = Callable[[], Mapping[str, Charge]]
"""Who is watched over at this moment, by integration id."""


def charges(
    sources: Sources, resting: Mapping[str, Resting], invalid: Mapping[str, Integration] | None = None
) -> dict[str, Charge]:
    """Everybody who is not fetched and says a network, without which nobody could be told of it.

    `invalid` are those who would be fetched if they could.
    """
    present = {name: each.integration for name, each in sources.all.items()}
    delivering = {name: Charge(each) for name, each in present.items() if each.kind not in FETCHED_KINDS}
    unusable = {name: Resting(each, Reason.UNUSABLE, None) for name, each in (invalid or {}).items()}
    everybody = delivering | {name: Charge(each.integration, each) for name, each in {**unusable, **resting}.items()}
    return {name: each for name, each in everybody.items() if each.integration.network}


class Vigil:
    """One process at a time keeps it. `run` it until cancelled."""

    def __init__(self, charges: Charges, sink: CoverageSink, clock: Clock) -> None:
        self._charges = charges
        self._sink = sink
        self._clock = clock

    async def run(self, settings: PostgresSettings, *, schema: str, every_seconds: float = EVERY_SECONDS) -> None:
        """Watch over every reconnect to PostgreSQL."""
        while True:
            try:
                async with open_session(settings, schema=schema, purpose="vigil") as session:
                    await self._keep(session, every_seconds)
            except (*POSTGRES_UNAVAILABLE, asyncpg.PostgresError) as lost:
                _log.warning("vigil_session_lost", error_class=type(lost).__name__)
            await asyncio.sleep(every_seconds)

    async def _keep(self, session: FetchingSession, every_seconds: float) -> None:
        watch = Watch(session, self._sink, self._clock)
        watched: dict[str, Charge] = {}
        while True:
            if await session.lead(_ALL):
                await self._follow(session, watch, watched)
                await _learn(session, watch, watched)
                await watch.judge()
            await asyncio.sleep(every_seconds)

    async def _follow(self, session: FetchingSession, watch: Watch, watched: dict[str, Charge]) -> None:
        """See who comes and goes."""
        wanted = self._charges()
        for name in [name for name, each in watched.items() if wanted.get(name) != each]:
            watch.end(name)
            await session.leave(name)
            del watched[name]
        for name in wanted.keys() - watched.keys():
            # Who was fetched until now has to be let go of first: nobody else may write how it stands meanwhile.
            if wanted[name].integration.kind not in FETCHED_KINDS or await session.lead(name):
                await self._begin(session, watch, wanted[name])
                watched[name] = wanted[name]

    async def _begin(self, session: FetchingSession, watch: Watch, charge: Charge) -> None:
        known, rests, now = charge.integration, charge.resting, self._clock()
        once = known.kind not in _REPEATED_KINDS
        if rests:
            await session.forget_refusals(known.id)
            down = State(rests.reason, rests.since or now)
            await watch.begin(known.id, known.tenant, Expectation(), down=down, delivered_once=once)
            return
        await watch.begin(known.id, known.tenant, _expectation(known), delivered_once=once)
        # It cannot be asked: it hears until something says otherwise.
        watch.learn(known.id, lambda facts: facts if facts.checked_at else facts.checked(now, heard=False))


async def _learn(session: FetchingSession, watch: Watch, watched: Mapping[str, Charge]) -> None:
    for name, beat in (await session.heartbeats()).items():
        if name in watched and watched[name].resting is None:
            watch.learn(name, partial(after, beat))


def _expectation(integration: Integration) -> Expectation:
    try:
        return expectation_of(integration)
    except InvalidConnection as error:
        _log.error("expectation_invalid", integration=integration.id, problem=str(error))
        return Expectation()
