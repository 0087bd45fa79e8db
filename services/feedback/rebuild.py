"""Rebuilds the read models from the log: `python -m services.feedback.rebuild`, while the service is stopped.

One transaction: readers see the old read models until the new ones are whole, and an interrupted rebuild leaves
everything as it was.
"""

from dataclasses import dataclass

from chassis.errors import Crash
from chassis.kafka import KafkaSettings
from chassis.messages import Record
from chassis.postgres import Connection, PostgresSettings
from chassis.rebuilding import command, read_batches, readable, rebuilding_session
from contracts.topics import FEEDBACK, consumed_by
from services.feedback.facts import Fact, read
from services.feedback.handlers import project
from services.feedback.store.digest import digest
from services.feedback.store.locks import claim_absence, one_fold_at_a_time
from services.feedback.store.rebuilding import begin_anew


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild found and made."""

    epoch: int
    events: int
    """Folded for the first time."""
    refused: int
    """Records that cannot be read; the running service dead-lettered them."""
    digest_before: str
    digest: str


class RebuildRefused(Crash):
    """A service is running: stop it, rebuild, and start it again."""


async def rebuild(postgres: PostgresSettings, kafka: KafkaSettings) -> Rebuilt:
    """Drop the read models and fold all topics again. Raises RebuildRefused while a service is running."""
    async with rebuilding_session(postgres, schema=FEEDBACK) as session, session.transaction():
        if not await claim_absence(session):
            raise RebuildRefused("a feedback service is running: stop it, rebuild, and start it again")
        await one_fold_at_a_time(session)
        before = await digest(session)
        epoch = await begin_anew(session)
        events, refused = await _fold_all(session, kafka)
        return Rebuilt(epoch, events, refused, before, await digest(session))


async def _fold_all(connection: Connection, kafka: KafkaSettings) -> tuple[int, int]:
    events = refused = 0
    for topic in consumed_by(FEEDBACK):
        async for records in read_batches(kafka, topic.name):
            found: list[tuple[Record, Fact]] = readable(records, read)
            facts = [fact for _, fact in found]
            events += len(await project(connection, facts))
            refused += len(records) - len(facts)
    return events, refused


if __name__ == "__main__":
    command(FEEDBACK, rebuild)
