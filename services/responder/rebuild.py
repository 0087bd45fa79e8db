"""Rebuilds the read models from the log: `python -m services.responder.rebuild`, while no responder runs.

One transaction: an interrupted rebuild leaves everything as it was. Approvals and deliveries are no read models.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Final, TypeVar

import structlog

from ascolto.replies.v1.reply_event_pb2 import ReplyEvent
from chassis.clock import utc_now
from chassis.errors import Crash, NeverRetry
from chassis.kafka import KafkaSettings, committed_offsets, read_range
from chassis.lifecycle.runner import EXIT_CRASH
from chassis.logging import canonical, configure
from chassis.messages import Record
from chassis.postgres import Connection, PostgresSettings
from chassis.settings import ProcessSettings, load
from contracts import codec
from contracts.codec import Event
from contracts.integrations import Integration
from contracts.topics import REPLIES
from services.responder import rebuilding
from services.responder.digest import digest
from services.responder.handlers import GROUP, TOPICS, Classified, read_classified
from services.responder.presence import alone

BATCH_RECORDS: Final = 1_000
T = TypeVar("T")
_log = structlog.get_logger(__name__)


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
        # What is read from Kafka between two statements may take a while.
        await session.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        await session.execute("SET LOCAL statement_timeout = 0")
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
        async for batch in _batches(read_range(kafka, topic), _classified):
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
    async for batch in _batches(read_range(kafka, REPLIES.name), _fact):
        count += await rebuilding.fold_facts(connection, [event for _, event in batch])
    waiting = [event for record in await rebuilding.waiting_facts(connection) if (event := _fact(record))]
    return count + await rebuilding.fold_facts(connection, waiting)


async def _batches(
    records: AsyncIterator[Record], read: Callable[[Record], T | None]
) -> AsyncIterator[list[tuple[Record, T]]]:
    """Readable records in batches; what cannot be read is in the dead letters."""
    batch: list[tuple[Record, T]] = []
    async for record in records:
        found = read(record)
        if found is not None:
            batch.append((record, found))
        if len(batch) == BATCH_RECORDS:
            yield batch
            batch = []
    if batch:
        yield batch


def _classified(record: Record) -> Classified | None:
    try:
        return read_classified(record, _NO_INTEGRATIONS)
    except NeverRetry:
        return None


def _fact(record: Record) -> Event[ReplyEvent] | None:
    try:
        event = codec.decode(record)
    except NeverRetry:
        return None
    return Event(event.metadata, event.message) if isinstance(event.message, ReplyEvent) else None


_NO_INTEGRATIONS: Mapping[str, Integration] = {}
"""Whether there was a way back was decided then, and stands in the facts."""


def main() -> None:
    """Rebuild, and print what was made as JSON."""
    configure(load(ProcessSettings), service="responder-rebuild")
    postgres, kafka = load(PostgresSettings), load(KafkaSettings)
    started_at = utc_now()
    try:
        with canonical(_log, "read_models_rebuilt", started_at=started_at.isoformat()):
            rebuilt = asyncio.run(rebuild(postgres, kafka))
    except Crash as refusal:
        print(refusal, file=sys.stderr)  # noqa: T201 - a command talks to the terminal
        raise SystemExit(EXIT_CRASH) from refusal
    print(json.dumps(asdict(rebuilt)))  # noqa: T201 - a command talks to the terminal


if __name__ == "__main__":
    main()
