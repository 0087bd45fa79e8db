"""What stands behind the same HTTP server: the group commit of the service, no database, one INSERT per request."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from functools import partial
from typing import Any, Final

from chassis.kafka import KafkaSettings, Publisher
from chassis.outbox import Relay, RelaySettings
from chassis.postgres import Pool, PostgresSettings, open_pool
from chassis.settings import load
from services.ingest import store
from services.ingest.accept import Acceptor, GroupCommit, Receipt
from services.ingest.normalizer import Accepted
from services.ingest.settings import AcceptSettings

SCHEMA: Final = "ingest"
INSERT: Final = """
INSERT INTO post
    (event_id, post_id, tenant, integration, conversation, network, change, revision, event_time)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
ON CONFLICT (event_id) DO NOTHING
RETURNING event_id"""


@asynccontextmanager
async def group_commit() -> AsyncIterator[Acceptor]:
    """Posts and outbox in one transaction for all requests that wait; what the relay does later is not counted."""
    async with _committing(lambda: None) as acceptor:
        yield acceptor


@asynccontextmanager
async def whole_service() -> AsyncIterator[Acceptor]:
    """The group commit with the relay to Kafka beside it in the same process, as ingest runs."""
    postgres, name = load(PostgresSettings), "bench-relay"
    async with Publisher(load(KafkaSettings), client_id=name) as publisher:
        relay = Relay(postgres, publisher, schema=SCHEMA, application_name=name, settings=RelaySettings())
        async with _running(relay.run()), _committing(relay.hint) as acceptor:
            yield acceptor


@asynccontextmanager
async def no_database() -> AsyncIterator[Acceptor]:
    """Forgets the posts at once."""
    yield _Forgetful()


@asynccontextmanager
async def insert_per_request() -> AsyncIterator[Acceptor]:
    """The dedupe row alone, one statement and so one commit a request: less than the service promises."""
    async with _pool() as pool:
        yield _Inserting(pool)


ACCEPTORS: Final[Mapping[str, Callable[[], AbstractAsyncContextManager[Acceptor]]]] = {
    "group_commit": group_commit,
    "no_database": no_database,
    "insert_per_request": insert_per_request,
    "whole_service": whole_service,
}


class _Forgetful:
    async def accept(self, posts: Sequence[Accepted]) -> Receipt:
        return Receipt([post.event.metadata.event_id for post in posts], [])


class _Inserting:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def accept(self, posts: Sequence[Accepted]) -> Receipt:
        receipt = Receipt([], [])
        for post in posts:
            columns = store.entry_of(post).columns
            kept = await self._pool.fetchval(INSERT, *columns)
            (receipt.accepted if kept else receipt.duplicates).append(columns.event_id)
        return receipt


@asynccontextmanager
async def _committing(on_commit: Callable[[], None]) -> AsyncIterator[Acceptor]:
    async with _pool() as pool:
        acceptor = GroupCommit(partial(store.keep, pool), AcceptSettings(), on_commit=on_commit)
        async with _running(acceptor.run()):
            yield acceptor


def _pool() -> AbstractAsyncContextManager[Pool]:
    return open_pool(load(PostgresSettings), schema=SCHEMA, application_name="bench")


@asynccontextmanager
async def _running(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
