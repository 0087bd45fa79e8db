"""Rebuilds the read model from the log: `python -m services.routing.rebuild`, beside a running service or without one.

One transaction: readers see the old read model until the new one is whole, what comes in meanwhile waits for it, and
an interrupted rebuild leaves everything as it was. Posts go on being classified. Human labels are no read model: they
stay, and those that a restored database has forgotten are learnt again.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import asdict, dataclass
from typing import Final

import asyncpg
import structlog

from chassis.errors import Crash, NeverRetry
from chassis.kafka import KafkaSettings, read_range
from chassis.logging import canonical, configure
from chassis.messages import Record
from chassis.postgres import POSTGRES_UNAVAILABLE, Connection, PostgresSettings, connect
from chassis.settings import ProcessSettings, load
from contracts.topics import CLASSIFIED, CORRECTIONS, ROUTING
from services.routing.facts import read
from services.routing.handlers import project
from services.routing.standing import PERSON, Fact
from services.routing.store.digest import digest
from services.routing.store.labels import restore_labels
from services.routing.store.locks import rebuilding
from services.routing.store.rebuilding import empty, waiting_corrections

BATCH_RECORDS: Final = 1_000
_CLOSE_SECONDS: Final = 5.0
_STATEMENT_SECONDS: Final = 3600.0
_TELLING: tuple[type[BaseException], ...] = (Crash, asyncpg.QueryCanceledError, *POSTGRES_UNAVAILABLE)
_log = structlog.get_logger(__name__)


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
    session = await connect(_patient(postgres), schema=ROUTING, application_name=f"{ROUTING}-rebuild")
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


def _patient(postgres: PostgresSettings) -> PostgresSettings:
    """Emptying and digesting a large table takes longer than any statement of the service may."""
    update = {"statement_timeout_seconds": _STATEMENT_SECONDS, "command_timeout_seconds": _STATEMENT_SECONDS + 10.0}
    return postgres.model_copy(update=update)


async def _fold_all(connection: Connection, kafka: KafkaSettings) -> tuple[int, int]:
    # First: what is published meanwhile stands at the end of its topic by the time that it is gone from here.
    waiting = await waiting_corrections(connection)
    events, refused = await _fold(connection, waiting), 0
    for topic in (*CLASSIFIED, CORRECTIONS):
        async for records in _batches(read_range(kafka, topic.name)):
            read_now = await _fold(connection, records)
            events, refused = events + read_now, refused + len(records) - read_now
    return events, refused


async def _fold(connection: Connection, records: Sequence[Record]) -> int:
    facts = [fact for record in records if (fact := _readable(record)) is not None]
    await project(connection, facts)
    await restore_labels(connection, [fact.decided for fact in facts if _is_persons_word(fact)])
    return len(facts)


def _is_persons_word(fact: Fact) -> bool:
    """And not a classification that heeded an earlier one."""
    return fact.decided.authority == PERSON and fact.decided.corrected_by is not None


async def _batches(records: AsyncIterator[Record]) -> AsyncIterator[list[Record]]:
    batch: list[Record] = []
    async for record in records:
        batch.append(record)
        if len(batch) == BATCH_RECORDS:
            yield batch
            batch = []
    yield batch


def _readable(record: Record) -> Fact | None:
    try:
        return read(record)
    except NeverRetry:
        return None


def main() -> None:
    """Rebuild, and print what came of it as one line of JSON."""
    process, postgres, kafka = load(ProcessSettings), load(PostgresSettings), load(KafkaSettings)
    configure(process, service=ROUTING)
    try:
        with canonical(_log, "read_model_rebuilt"):
            rebuilt = asyncio.run(rebuild(postgres, kafka))
    except _TELLING as error:
        print(f"{type(error).__name__}: {error}; the read model is as it was", file=sys.stderr)  # noqa: T201 - a command speaks to whoever ran it
        raise SystemExit(1) from error
    print(json.dumps(asdict(rebuilt)))  # noqa: T201 - as above


if __name__ == "__main__":
    main()
