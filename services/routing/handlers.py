"""What routing does with its own classifications as they come back: one idempotent transaction for each batch."""

from collections.abc import Callable, Sequence

from chassis.inbox import claim
from chassis.outbox import enqueue
from chassis.postgres import Connection, Pool, transaction
from contracts.topics import ROUTING_DECISIONS
from services.routing.corrections import Correction, Handle, correct, outgoing
from services.routing.facts import corrected
from services.routing.standing import Fact
from services.routing.store.folding import save
from services.routing.store.labels import Unheeded, unheeded
from services.routing.store.locks import folding


class Projector:
    """Subscribed to every classified topic; `on_corrections` is called after a batch that led to some."""

    def __init__(self, pool: Pool, handle: Handle, on_corrections: Callable[[], None]) -> None:
        self._pool = pool
        self._handle = handle
        self._on_corrections = on_corrections

    async def handle(self, facts: Sequence[Fact]) -> None:
        """Take a batch in; one that was taken in before changes nothing."""
        async with transaction(self._pool) as connection:
            await folding(connection)
            changed = await project(connection, facts)
            made = await heed(connection, await unheeded(connection, sorted(changed)), self._handle)
            await enqueue(connection, [outgoing(each) for each in made])
        if made:
            self._on_corrections()


async def project(connection: Connection, facts: Sequence[Fact]) -> set[str]:
    """Fold the facts that are new, in the caller's transaction; answers of which posts something else stands now."""
    left = await claim(connection, ROUTING_DECISIONS, [fact.event_id for fact in facts])
    fresh = {fact.event_id: fact for fact in facts if fact.event_id in left}
    return await save(connection, list(fresh.values()))


async def heed(connection: Connection, labels: Sequence[Unheeded], handle: Handle) -> list[Correction]:
    """Let labels stand that what stands does not say; answers what the caller's transaction has to tell of it.

    The look-up of labels precedes the classification, and a person may label a post in between.
    """
    corrections = [correct(each.standing, each.label, handle) for each in labels]
    await save(connection, [corrected(each.metadata, each.message) for each in corrections])
    return corrections
