"""Rebuilds the read models from the log: `python -m services.feedback.rebuild`, while the service is stopped.

One transaction: readers see the old read models until the new ones are whole, and an interrupted rebuild leaves
everything as it was.
"""

import asyncio
import json
import sys
from collections.abc import AsyncIterator
from dataclasses import asdict, dataclass

import structlog

from chassis.errors import Crash, NeverRetry
from chassis.kafka import KafkaSettings, read_range
from chassis.logging import canonical, configure
from chassis.messages import Record
from chassis.postgres import POSTGRES_UNAVAILABLE, Connection, PostgresSettings, connect
from chassis.settings import ProcessSettings, load
from contracts.topics import FEEDBACK, consumed_by
from services.feedback.facts import Fact, read
from services.feedback.handlers import project
from services.feedback.store.digest import digest
from services.feedback.store.locks import claim_absence, one_fold_at_a_time
from services.feedback.store.rebuilding import begin_anew

BATCH_RECORDS = 1_000
_CLOSE_SECONDS = 5.0
_STATEMENT_SECONDS = 3600.0
_TELLING: tuple[type[BaseException], ...] = (Crash, *POSTGRES_UNAVAILABLE)
_log = structlog.get_logger(__name__)


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
    session = await connect(_patient(postgres), schema=FEEDBACK, application_name=f"{FEEDBACK}-rebuild")
    try:
        async with session.transaction():
            if not await claim_absence(session):
                raise RebuildRefused("a feedback service is running: stop it, rebuild, and start it again")
            await one_fold_at_a_time(session)
            before = await digest(session)
            epoch = await begin_anew(session)
            events, refused = await _fold_all(session, kafka)
            return Rebuilt(epoch, events, refused, before, await digest(session))
    finally:
        await session.close(timeout=_CLOSE_SECONDS)


def _patient(postgres: PostgresSettings) -> PostgresSettings:
    """Emptying and digesting a large table takes longer than any statement of the service may."""
    update = {"statement_timeout_seconds": _STATEMENT_SECONDS, "command_timeout_seconds": _STATEMENT_SECONDS + 10.0}
    return postgres.model_copy(update=update)


async def _fold_all(connection: Connection, kafka: KafkaSettings) -> tuple[int, int]:
    events = refused = 0
    for topic in consumed_by(FEEDBACK):
        async for records in _batches(read_range(kafka, topic.name)):
            facts = [fact for record in records if (fact := _readable(record)) is not None]
            events += len(await project(connection, facts))
            refused += len(records) - len(facts)
    return events, refused


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
    configure(process, service=FEEDBACK)
    try:
        with canonical(_log, "read_models_rebuilt"):
            rebuilt = asyncio.run(rebuild(postgres, kafka))
    except _TELLING as error:
        print(f"{type(error).__name__}: {error}; the read models are as they were", file=sys.stderr)  # noqa: T201 - a command speaks to whoever ran it
        raise SystemExit(1) from error
    print(json.dumps(asdict(rebuilt)))  # noqa: T201 - as above


if __name__ == "__main__":
    main()
