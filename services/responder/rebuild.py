"""Rebuilds the read models from the log: `python -m services.responder.rebuild`, while no responder runs.

One transaction: an interrupted rebuild leaves everything as it was. Approvals and deliveries are no read models.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from ascolto.replies.v1.reply_event_pb2 import ReplyEvent
from chassis.kafka import KafkaSettings, committed_offsets
from chassis.messages import Record
from chassis.postgres import Connection, PostgresSettings
from chassis.rebuilding import command, read_batches, readable
from contracts import codec
from contracts.codec import Event
from contracts.integrations import Integration
from contracts.topics import REPLIES, RESPONDER
from services.responder import rebuilding
from services.responder.digest import digest
from services.responder.handlers import GROUP, TOPICS, read_classified
from services.responder.presence import alone

_NO_INTEGRATIONS: Mapping[str, Integration] = {}
"""Whether there was a way back was decided then, and stands in the facts."""


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild found and made."""

    posts: int
    """Classified posts and corrections of them."""
    facts: int
    planned: int
    """Drafts that are wanted and not there yet."""
    digest_before: str
    digest: str


async def rebuild(postgres: PostgresSettings, kafka: KafkaSettings, *, group: str = GROUP) -> Rebuilt:
    """Drop the read models and fold the topics again. Raises Crash while a responder runs.

    What was taken in is told by the inbox, and for what that has forgotten by the committed offsets of `group`.
    """
    async with alone(postgres) as session, session.transaction():
        before = await digest(session)
        await rebuilding.empty(session)
        posts = await _fold_posts(session, kafka, await committed_offsets(kafka, group))
        await rebuilding.rank_changes(session)
        facts = await _fold_facts(session, kafka)
        planned = await rebuilding.plan_missing(session)
        return Rebuilt(posts, facts, planned, before, await digest(session))


async def _fold_posts(connection: Connection, kafka: KafkaSettings, committed: Mapping[tuple[str, int], int]) -> int:
    """Fold what the service has taken in; what it has not yet, it will take in itself."""
    count = 0
    for topic in TOPICS:
        async for records in read_batches(kafka, topic):
            batch = readable(records, partial(read_classified, integrations=_NO_INTEGRATIONS))
            seen = await rebuilding.handled(connection, [each.event_id for _, each in batch])
            taken_in = [
                each.incoming
                for record, each in batch
                if each.event_id in seen or record.offset < committed.get((record.topic, record.partition), 0)
            ]
            await rebuilding.fold_posts(connection, taken_in)
            count += len(taken_in)
    return count


async def _fold_facts(connection: Connection, kafka: KafkaSettings) -> int:
    count = 0
    async for records in read_batches(kafka, REPLIES.name):
        count += await rebuilding.fold_facts(connection, _facts(records))
    return count + await rebuilding.fold_facts(connection, _facts(await rebuilding.waiting_facts(connection)))


def _facts(records: Sequence[Record]) -> list[Event[ReplyEvent]]:
    return [event for _, event in readable(records, _fact)]


def _fact(record: Record) -> Event[ReplyEvent] | None:
    event = codec.decode(record)
    return Event(event.metadata, event.message) if isinstance(event.message, ReplyEvent) else None


if __name__ == "__main__":
    command(RESPONDER, rebuild)
