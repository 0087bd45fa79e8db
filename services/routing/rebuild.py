"""Rebuilds the read model from the log: `python -m services.routing.rebuild`, beside a running service or without one.

One transaction: readers see the old read model until the new one is whole, what comes in meanwhile waits for it, and
an interrupted rebuild leaves everything as it was. Posts go on being classified. Human labels are no read model: they
stay, and those that a restored database has forgotten are learnt again.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from chassis.kafka import KafkaSettings
from chassis.messages import Record
from chassis.postgres import Connection, PostgresSettings, connect
from chassis.rebuilding import command, patient, read_batches, readable
from contracts.topics import CLASSIFIED, CORRECTIONS, ROUTING
from services.routing.facts import read
from services.routing.handlers import project
from services.routing.standing import PERSON, Fact
from services.routing.store.digest import digest
from services.routing.store.labels import restore_labels
from services.routing.store.locks import rebuilding
from services.routing.store.rebuilding import empty, waiting_corrections

_CLOSE_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What a rebuild found and made."""

    events: int
    """That could be read, some of them more than once."""
    refused: int
    """Records that cannot be read; the running service dead-lettered them."""
    digest_before: str
    digest: str


async def rebuild(postgres: PostgresSettings, kafka: KafkaSettings) -> Rebuilt:
    """Drop the read model and fold all classifications and corrections again."""
    session = await connect(patient(postgres), schema=ROUTING, application_name=f"{ROUTING}-rebuild")
    try:
        async with session.transaction():
            # What is read from Kafka between two statements may take a while.
            await session.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
            await rebuilding(session)
            before = await digest(session)
            await empty(session)
            events, refused = await _fold_all(session, kafka)
            return Rebuilt(events, refused, before, await digest(session))
    finally:
        await session.close(timeout=_CLOSE_SECONDS)


async def _fold_all(connection: Connection, kafka: KafkaSettings) -> tuple[int, int]:
    # First: what is published meanwhile stands at the end of its topic by the time that it is gone from here.
    waiting = await waiting_corrections(connection)
    events, refused = await _fold(connection, waiting), 0
    for topic in (*CLASSIFIED, CORRECTIONS):
        async for records in read_batches(kafka, topic.name):
            read_now = await _fold(connection, records)
            events, refused = events + read_now, refused + len(records) - read_now
    return events, refused


async def _fold(connection: Connection, records: Sequence[Record]) -> int:
    facts = [fact for _, fact in readable(records, read)]
    await project(connection, facts)
    await restore_labels(connection, [fact.decided for fact in facts if _is_persons_word(fact)])
    return len(facts)


def _is_persons_word(fact: Fact) -> bool:
    """And not a classification that heeded an earlier one."""
    return fact.decided.authority == PERSON and fact.decided.corrected_by is not None


if __name__ == "__main__":
    command(ROUTING, rebuild)
