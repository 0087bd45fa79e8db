"""What is done now and then: drafts that nobody wanted expire, queues are counted, old answers are forgotten."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final

import structlog

from chassis.clock import Clock
from chassis.idempotency import prune_requests
from chassis.postgres import Pool, transaction
from services.responder import jobs, metrics, replies
from services.responder.approval import Expire, Refusal, decide
from services.responder.change import Change
from services.responder.polling import Signal, repeat
from services.responder.settings import DraftingSettings

_EVERY_SECONDS: Final = 5.0
_EXPIRE_AT_ONCE: Final = 100
_KEEP_ANSWERS: Final = timedelta(days=1)
_log = structlog.get_logger(__name__)


class Upkeep:
    """A background task of each replica; several may run beside each other."""

    def __init__(self, pool: Pool, settings: DraftingSettings, clock: Clock, on_facts: Callable[[], None]) -> None:
        self._pool = pool
        self._after = timedelta(hours=settings.expire_after_hours)
        self._clock = clock
        self._on_facts = on_facts
        self._depths: dict[str, int] = {}
        metrics.observe_queue(lambda: self._depths)

    async def run(self) -> None:
        """Work until cancelled."""
        await repeat(self.step, Signal(), _EVERY_SECONDS, "upkeep")

    async def step(self) -> int:
        """Do all of it once; answers how many drafts expired."""
        self._depths = await jobs.count_waiting(self._pool)
        expired = await self.expire()
        async with self._pool.acquire() as connection:
            await prune_requests(connection, _KEEP_ANSWERS)
        return expired

    async def expire(self) -> int:
        """Drop drafts that waited too long; answers how many."""
        now = self._clock()
        async with transaction(self._pool) as connection:
            waiting = await replies.load_expired(connection, now - self._after, _EXPIRE_AT_ONCE)
            decided = [(reply, decide(reply, Expire(self._after), now)) for reply in waiting]
            changes = [Change(reply, facts) for reply, facts in decided if not isinstance(facts, Refusal)]
            await replies.record(connection, changes)
        if changes:
            self._on_facts()
            _log.info("drafts_expired", replies=len(changes))
        return len(changes)
