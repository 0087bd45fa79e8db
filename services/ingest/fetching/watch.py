"""The watch: gathers what happens to the integrations that this process fetches, and tells when coverage changes."""

import asyncio
from dataclasses import dataclass

import structlog

from chassis.clock import Clock
from services.ingest.fetching.coverage import COVERED, Expectation, Facts, Reason, Standing, State, decide
from services.ingest.fetching.session import CoverageSink, FetchingSession, SessionLost

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Watched:
    tenant: str
    expectation: Expectation
    facts: Facts
    state: State
    kept: Facts | None = None


class Watch:
    """Facts are noted as they happen and judged at intervals, so that a hiccup writes nothing."""

    def __init__(self, session: FetchingSession, sink: CoverageSink, clock: Clock) -> None:
        self._session = session
        self._sink = sink
        self._clock = clock
        self._watched: dict[str, _Watched] = {}

    async def begin(self, integration: str, tenant: str, expectation: Expectation) -> None:
        """Go on from what is known of the integration."""
        if integration in self._watched:
            return
        known = await self._session.standing(integration)
        facts, state = known or (Facts(self._clock()), COVERED)
        self._watched[integration] = _Watched(tenant, expectation, facts, state)

    def end(self, integration: str) -> None:
        """Watch it no more: it was disabled, or changed."""
        self._watched.pop(integration, None)

    def checked(self, integration: str, *, heard: bool) -> None:
        """The network answered; `heard`: with something new."""
        watched = self._watched[integration]
        watched.facts = watched.facts.checked(self._clock(), heard=heard)

    def failed(self, integration: str, reason: Reason) -> None:
        """The network did not give what was asked for."""
        if watched := self._watched.get(integration):
            watched.facts = watched.facts.failed(self._clock(), reason)

    async def run(self, every_seconds: float) -> None:
        """Judge again and again until cancelled."""
        while True:
            for integration in list(self._watched):
                await self._judge_or_log(integration)
            await asyncio.sleep(every_seconds)

    async def _judge_or_log(self, integration: str) -> None:
        try:
            await self._judge(integration)
        except SessionLost:
            raise
        except Exception as error:  # noqa: BLE001 - one that cannot be judged must not stop the fetching of all
            _log.error("coverage_not_judged", integration=integration, exc_info=error)

    async def _judge(self, integration: str) -> None:
        watched = self._watched.get(integration)
        if watched is None:
            return
        before, facts = watched.state, watched.facts
        state = decide(watched.expectation, facts, self._clock())
        if facts == watched.kept and state.reason is before.reason:
            return
        await self._session.keep_standing(Standing(integration, watched.tenant, facts, state), before, self._sink)
        if state.reason is not before.reason:
            reason = state.reason.name if state.reason else None
            _log.warning("coverage_changed", integration=integration, reason=reason)
        watched.state, watched.kept = state, facts
