"""What the rebuilds of the read models share: a patient session, topics in batches, and the answer of the command."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Final, TypeVar

import asyncpg
import structlog

from chassis.errors import Crash, NeverRetry
from chassis.kafka import KafkaSettings, read_range
from chassis.logging import canonical, configure
from chassis.messages import Record
from chassis.postgres import POSTGRES_UNAVAILABLE, PostgresSettings, Session, closed_means_unavailable, connect
from chassis.settings import ProcessSettings, load

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

BATCH_RECORDS: Final = 1_000
T = TypeVar("T")
_STATEMENT_SECONDS: Final = 3600.0
_CLOSE_SECONDS: Final = 5.0
_TELLING: Final[tuple[type[BaseException], ...]] = (Crash, asyncpg.QueryCanceledError, *POSTGRES_UNAVAILABLE)
_log = structlog.get_logger(__name__)


def command(service: str, rebuild: Callable[[PostgresSettings, KafkaSettings], Awaitable["DataclassInstance"]]) -> None:
    """Rebuild, and print what came of it as one line of JSON; exit code 1 and the reason where nothing did."""
    process, postgres, kafka = load(ProcessSettings), load(PostgresSettings), load(KafkaSettings)
    configure(process, service=f"{service}-rebuild")
    try:
        with canonical(_log, "read_models_rebuilt"):
            rebuilt = asyncio.run(_awaited(rebuild(postgres, kafka)))
    except _TELLING as error:
        print(f"{_told(error)}. The read models are as they were.", file=sys.stderr)  # noqa: T201 - a command speaks to whoever ran it
        raise SystemExit(1) from error
    print(json.dumps(asdict(rebuilt)))  # noqa: T201 - as above


@asynccontextmanager
async def rebuilding_session(postgres: PostgresSettings, *, schema: str) -> AsyncIterator[Session]:
    """A session without the limits of a service; where it is lost, one of POSTGRES_UNAVAILABLE is raised.

    Emptying and digesting a large table takes longer than any statement of a service may, and between two statements
    Kafka is read, which may take a while.
    """
    session = await connect(
        _patient(postgres),
        schema=schema,
        application_name=f"{schema}-rebuild",
        server_settings={"idle_in_transaction_session_timeout": "0"},
    )
    try:
        with closed_means_unavailable():
            yield session
    finally:
        await session.close(timeout=_CLOSE_SECONDS)


async def read_batches(kafka: KafkaSettings, topic: str) -> AsyncIterator[list[Record]]:
    """Everything that stands on a topic now."""
    batch: list[Record] = []
    async for record in read_range(kafka, topic):
        batch.append(record)
        if len(batch) == BATCH_RECORDS:
            yield batch
            batch = []
    if batch:
        yield batch


def readable(records: Sequence[Record], read: Callable[[Record], T | None]) -> list[tuple[Record, T]]:
    """The records that can be read, with what they say; the others are in the dead letters of the running service."""
    found = [(record, _read(record, read)) for record in records]
    return [(record, value) for record, value in found if value is not None]


def _patient(postgres: PostgresSettings) -> PostgresSettings:
    update = {"statement_timeout_seconds": _STATEMENT_SECONDS, "command_timeout_seconds": _STATEMENT_SECONDS + 10.0}
    return postgres.model_copy(update=update)


def _read(record: Record, read: Callable[[Record], T | None]) -> T | None:
    try:
        return read(record)
    except NeverRetry:
        return None


def _told(error: BaseException) -> str:
    if isinstance(error, Crash):
        return str(error)
    reason = f"{type(error).__name__}: {error}"
    return f"PostgreSQL does not answer ({reason}): look at POSTGRES_DSN and at the server, then run this again"


async def _awaited(work: Awaitable[T]) -> T:
    return await work
