"""What feedback does with a batch of facts: one idempotent transaction, then a hint to those who watch."""

from collections.abc import Callable, Sequence
from typing import Final

from chassis.clock import Clock
from chassis.inbox import claim
from chassis.postgres import Connection, Pool, transaction
from services.feedback import metrics
from services.feedback.facts import Answered, Covered, Fact, touched_posts
from services.feedback.projection import Changes, Heard, fold
from services.feedback.store import folding
from services.feedback.store.coverage import save_coverage
from services.feedback.store.locks import one_fold_at_a_time

CONSUMER: Final = "feedback"
"""Of the inbox; the same word as the consumer group."""


class Projector:
    """Subscribed to every classified topic and the replies; `on_commit` is called after each batch."""

    def __init__(self, pool: Pool, clock: Clock, on_commit: Callable[[], None]) -> None:
        self._pool = pool
        self._clock = clock
        self._on_commit = on_commit

    async def handle(self, facts: Sequence[Fact]) -> None:
        """Take a batch in; one that was taken in before changes nothing."""
        async with transaction(self._pool) as connection:
            fresh = await project(connection, facts)
        self._on_commit()
        metrics.projected(fresh, self._clock())


async def project(connection: Connection, facts: Sequence[Fact]) -> list[Fact]:
    """Fold the facts that are new into the read models, in the caller's transaction; answers which they were."""
    await one_fold_at_a_time(connection)
    fresh = await _unseen(connection, facts)
    answers = [fact for fact in fresh if isinstance(fact, Answered)]
    await folding.save(connection, await _changes(connection, fresh), answers)
    await save_coverage(connection, [fact for fact in fresh if isinstance(fact, Covered)])
    return fresh


async def _changes(connection: Connection, facts: Sequence[Fact]) -> Changes:
    stored = await folding.load_posts(connection, touched_posts(facts))
    return fold(stored, (fact for fact in facts if isinstance(fact, Heard)))


async def _unseen(connection: Connection, facts: Sequence[Fact]) -> list[Fact]:
    """The first of each event that was never claimed, in order."""
    left = await claim(connection, CONSUMER, [fact.event_id for fact in facts])
    fresh = []
    for fact in facts:
        if fact.event_id in left:
            left.discard(fact.event_id)
            fresh.append(fact)
    return fresh
