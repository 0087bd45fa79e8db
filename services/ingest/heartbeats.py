"""Heartbeats of accounts that deliver by themselves: when a delivery came last, and how many were refused since."""

import asyncio
from collections.abc import Mapping
from datetime import datetime
from typing import Final, NamedTuple

import asyncpg
import structlog

from chassis.clock import Clock
from chassis.postgres import POSTGRES_UNAVAILABLE, Queries, closed_means_unavailable
from services.ingest.fetching.coverage import Facts, Reason

EVERY_SECONDS: Final = 2.0
REPEATED: Final = 3
"""So many refusals without a good delivery between are no mistake of one request."""

_KEEP: Final = """
INSERT INTO heartbeat AS kept (integration, verified_at, refusals, refused_since, refused_at)
SELECT * FROM unnest($1::text[], $2::timestamptz[], $3::int[], $4::timestamptz[], $5::timestamptz[])
ON CONFLICT (integration) DO UPDATE SET
    verified_at = greatest(kept.verified_at, excluded.verified_at),
    refusals = excluded.refusals + CASE WHEN excluded.verified_at IS NULL THEN kept.refusals ELSE 0 END,
    refused_since = CASE WHEN excluded.verified_at IS NULL THEN coalesce(kept.refused_since, excluded.refused_since)
                         ELSE excluded.refused_since END,
    refused_at = excluded.refused_at
WHERE excluded.verified_at IS NOT NULL OR kept.verified_at IS NULL OR kept.verified_at < excluded.refused_at"""
_ALL: Final = "SELECT * FROM heartbeat"
_FORGET: Final = """
UPDATE heartbeat SET refusals = 0, refused_since = NULL, refused_at = NULL WHERE integration = $1 AND refusals > 0"""
_NOT_NOW: Final = (*POSTGRES_UNAVAILABLE, asyncpg.PostgresError, asyncpg.InterfaceError)
"""Whatever keeps a heartbeat from being written down is no reason to stop listening."""
_log = structlog.get_logger(__name__)


class Beat(NamedTuple):
    """What is known of one account's deliveries; times in UTC."""

    verified_at: datetime | None = None
    """When one came last that was signed with a live secret."""
    refusals: int = 0
    """How many came since then that were signed otherwise."""
    refused_since: datetime | None = None
    refused_at: datetime | None = None

    def refused(self, now: datetime) -> "Beat":
        """Another one came that is not signed with a live secret."""
        return Beat(self.verified_at, self.refusals + 1, self.refused_since or now, now)

    def then(self, later: "Beat") -> "Beat":
        """What is known when that came later; the same rule as the statement's."""
        if later.verified_at is not None:
            return later
        since = self.refused_since or later.refused_since
        return Beat(self.verified_at, self.refusals + later.refusals, since, later.refused_at)


class Heartbeats:
    """Notes what this replica sees, and writes it down every few seconds: a write for each delivery would cost half."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._noted: dict[str, Beat] = {}

    def verified(self, integration: str) -> None:
        """A delivery came that was signed with a live secret."""
        self._noted[integration] = Beat(self._clock())

    def refused(self, integration: str) -> None:
        """A delivery came that was signed otherwise."""
        self._noted[integration] = self._noted.get(integration, Beat()).refused(self._clock())

    async def run(self, queries: Queries, every_seconds: float = EVERY_SECONDS) -> None:
        """Write down until cancelled, and once more then."""
        try:
            while True:
                await asyncio.sleep(every_seconds)
                await self.flush(queries)
        finally:
            await self.flush(queries)

    async def flush(self, queries: Queries) -> None:
        """Write down what was noted; where PostgreSQL is away, it is noted on."""
        noted, self._noted = self._noted, {}
        try:
            await _keep(queries, noted)
        except _NOT_NOW as error:
            _log.warning("heartbeats_wait", error_class=type(error).__name__)
            self._noted = noted | {name: noted.get(name, Beat()).then(each) for name, each in self._noted.items()}


async def forget_refusals(queries: Queries, integration: str) -> None:
    """Begin to count anew: it was disabled, and whoever enables it has mended what was wrong."""
    await queries.execute(_FORGET, integration)


async def heartbeats(queries: Queries) -> dict[str, Beat]:
    """What all replicas wrote down, by integration."""
    rows = await queries.fetch(_ALL)
    return {row["integration"]: Beat(*(row[name] for name in Beat._fields)) for row in rows}


def after(beat: Beat, facts: Facts) -> Facts:
    """The facts of an account as its heartbeat tells them. Pure."""
    heard_at = max(filter(None, (facts.heard_at, beat.verified_at)), default=None)
    checked_at = max(filter(None, (facts.checked_at, beat.verified_at)), default=None)
    known = Facts(facts.since, heard_at, checked_at)
    if beat.refusals < REPEATED or beat.refused_since is None:
        return known
    return known.failed(beat.refused_since, Reason.AUTH_FAILED)


async def _keep(queries: Queries, noted: Mapping[str, Beat]) -> None:
    if not noted:
        return
    rows = sorted((name, *each) for name, each in noted.items())  # in one order, so that no replicas block each other
    with closed_means_unavailable():
        await queries.execute(_KEEP, *zip(*rows, strict=True))
