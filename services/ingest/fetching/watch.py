"""The watch: gathers what happens to the integrations of this process, and tells when their coverage changes."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog

from chassis.clock import Clock
from services.ingest.fetching.coverage import (
    COVERED,
    Expectation,
    Facts,
    Gap,
    Missed,
    Reason,
    Standing,
    State,
    decide,
    turned_away,
)
from services.ingest.fetching.session import CoverageSink, FetchingSession, SessionLost

_SWITCHED: Final = frozenset({Reason.DISABLED, Reason.UNUSABLE})
"""What people did: when they undo it, whether it hears is not known before anything happens."""
_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class _Watched:
    tenant: str
    expectation: Expectation
    facts: Facts
    state: State
    down: State | None
    delivered_once: bool
    kept: Facts | None = None

    def just_enabled(self) -> bool:
        """Whether it listens again, and nothing has happened yet that tells how."""
        return self.down is None and self.state.reason in _SWITCHED and self.facts.tell_nothing


class Watch:
    """Facts are noted as they happen and judged at intervals, so that a hiccup writes nothing."""

    def __init__(self, session: FetchingSession, sink: CoverageSink, clock: Clock) -> None:
        self._session = session
        self._sink = sink
        self._clock = clock
        self._watched: dict[str, _Watched] = {}

    async def begin(
        self,
        integration: str,
        tenant: str,
        expectation: Expectation,
        *,
        down: State | None = None,
        delivered_once: bool = False,
    ) -> None:
        """Go on from what is known of the integration; `down`: it listens to nothing, whatever happens.

        `delivered_once`: what is refused does not come again.
        """
        if integration in self._watched:
            return
        known = await self._session.standing(integration)
        facts, state = known or (Facts(self._clock()), COVERED)
        if down is None and state.reason in _SWITCHED:
            facts = facts.enabled(self._clock())
        if down is not None and down.reason is state.reason:
            down = state  # it was so before we looked
        self._watched[integration] = _Watched(tenant, expectation, facts, state, down, delivered_once)

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

    def learn(self, integration: str, facts_after: Callable[[Facts], Facts]) -> None:
        """Something is known from elsewhere."""
        watched = self._watched[integration]
        watched.facts = facts_after(watched.facts)

    def reached(self, integration: str) -> datetime:
        """Up to when the integration was heard."""
        facts = self._watched[integration].facts
        return facts.checked_at or facts.since

    async def missed(self, integration: str, position: bytes, reason: Missed, since: datetime) -> None:
        """Go on at `position`, behind what can never be had, and tell of it."""
        gap = Gap(integration, self._watched[integration].tenant, reason, since, self._clock())
        await self._session.move_over(gap, position, self._sink)
        _log.warning("coverage_missed", integration=integration, reason=reason.name)

    async def run(self, every_seconds: float) -> None:
        """Judge again and again until cancelled."""
        while True:
            await self.judge()
            await asyncio.sleep(every_seconds)

    async def judge(self) -> None:
        """Find out how each stands now, and tell what has changed."""
        for integration in list(self._watched):
            try:
                await self._judge(integration)
            except SessionLost:
                raise
            except Exception as error:  # noqa: BLE001 - one that cannot be judged must not stop the fetching of all
                _log.error("coverage_not_judged", integration=integration, exc_info=error)

    async def _judge(self, integration: str) -> None:
        watched = self._watched.get(integration)
        if watched is None or watched.just_enabled():
            return
        before, facts, now = watched.state, watched.facts, self._clock()
        state = watched.down or decide(watched.expectation, facts, now)
        if facts == watched.kept and state.reason is before.reason:
            return
        standing = Standing(integration, watched.tenant, facts, state)
        gap = turned_away(standing._replace(state=before), state, now) if watched.delivered_once else None
        await self._session.keep_standing(standing, before, self._sink, gap)
        if state.reason is not before.reason:
            reason = state.reason.name if state.reason else None
            _log.warning("coverage_changed", integration=integration, reason=reason)
        watched.state, watched.kept = state, facts
