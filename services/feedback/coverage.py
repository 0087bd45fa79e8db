"""Finds out up to when the counts are whole: a barrier that follows the posts through the log.

At a moment T the ends of the topic of posts are noted. When routing has committed up to there, all that had come in
before T stands on the classified topics; their ends are noted in turn. When feedback has committed up to those, all
of it is in the read models, dead letters aside. Clocks of records play no part, so late and reordered ones do not
matter. What ingest holds in its outbox has not come into the log yet: only the ledger can see that.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Final, TypeAlias

import asyncpg
import structlog
from aiokafka.errors import KafkaError

from chassis.clock import Clock
from chassis.kafka import KafkaSettings, KafkaUnreachable, committed_offsets, end_offsets
from chassis.postgres import POSTGRES_UNAVAILABLE, Pool
from contracts.topics import CLASSIFIED, FEEDBACK, POSTS, ROUTING
from services.feedback.settings import CoverageSettings
from services.feedback.store.coverage import record_complete_through

Offsets: TypeAlias = Mapping[tuple[str, int], int]
_STAGES: Final = (((POSTS.name,), ROUTING), (tuple(topic.name for topic in CLASSIFIED), FEEDBACK))
"""Topics, and the group that must have read them to their ends, in the order in which a post passes them."""
_NOT_NOW: Final[tuple[type[BaseException], ...]] = (
    *POSTGRES_UNAVAILABLE,
    asyncpg.InterfaceError,  # a pooled connection died while it was lent or given back
    asyncpg.QueryCanceledError,  # a rebuild holds the row
    KafkaError,
    KafkaUnreachable,
)
_log = structlog.get_logger(__name__)


def is_past(committed: Offsets, ends: Offsets) -> bool:
    """Whether a group has read up to `ends`; a partition without a commit was read up to 0."""
    return all(committed.get(partition, 0) >= end for partition, end in ends.items())


@dataclass
class Barrier:
    """Follows one moment after another through the stages; `ends` and `committed` ask Kafka."""

    ends: Callable[[Sequence[str]], Awaitable[Offsets]]
    committed: Callable[[str], Awaitable[Offsets]]
    clock: Clock
    _since: datetime | None = None
    _stage: int = 0
    _awaited: Offsets = field(default_factory=dict)

    async def advance(self) -> datetime | None:
        """Go as far as the log allows now; answers the moment that has passed all stages, if one has."""
        if self._since is None:
            now = self.clock()
            await self._enter(0)
            self._since = now
        while is_past(await self.committed(_STAGES[self._stage][1]), self._awaited):
            if self._stage + 1 == len(_STAGES):
                passed, self._since = self._since, None
                return passed
            await self._enter(self._stage + 1)
        return None

    async def _enter(self, stage: int) -> None:
        self._awaited = await self.ends(_STAGES[stage][0])
        self._stage = stage


async def keep_complete_through(pool: Pool, kafka: KafkaSettings, settings: CoverageSettings, clock: Clock) -> None:
    """Record every `interval_seconds` up to when the read models are whole; until cancelled."""
    barrier = Barrier(partial(end_offsets, kafka), partial(committed_offsets, kafka), clock)
    while True:
        try:
            passed = await barrier.advance()
            if passed is not None:
                await record_complete_through(pool, passed)
        except _NOT_NOW as error:
            # What was recorded stays true; it only grows older.
            _log.warning("coverage_unknown", error_class=type(error).__name__)
        await asyncio.sleep(settings.interval_seconds)
