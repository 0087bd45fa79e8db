"""Running the fetching of one integration against the real PostgreSQL, and looking at what it kept."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Any
from uuid import UUID

import asyncpg
from pydantic import SecretStr

from chassis.clock import utc_now
from chassis.outbound import OutboundClient
from chassis.postgres import Connection as Database
from chassis.postgres import PostgresSettings, open_pool
from contracts import identity
from contracts.integrations import Integration
from services.ingest import store
from services.ingest.accept import GroupCommit
from services.ingest.connector import MALFORMED, Account, Ignored, Normalize, Outcome, Reason, post
from services.ingest.fetching.attendance import Listener, Pace
from services.ingest.fetching.coverage import CoverageChange, Expectation, Gap
from services.ingest.fetching.known import KeptPosts
from services.ingest.fetching.pace import Backoff
from services.ingest.fetching.reading import Reader
from services.ingest.fetching.runner import Fetching
from services.ingest.fetching.source import Connection, Source, Tools
from services.ingest.normalizer import Normalizer
from services.ingest.settings import AcceptSettings
from tests.integration.ingest.polling import until

TENANT, INTEGRATION, NETWORK = "acme", "acme-listening", "generic"
PACE = Pace(Backoff(0.02, 0.2), lead_retry_seconds=0.1, watch_seconds=0.05, roster_seconds=0.05, reconnect_seconds=0.05)


def normalize(body: bytes, _: Account) -> list[Outcome]:
    """Read `{"id": ...}`, a list of them, or an object that holds such a list as "items"."""
    try:
        document = json.loads(body)
    except ValueError:
        return [MALFORMED]
    items = document.get("items", [document]) if isinstance(document, dict) else document
    return [_post(item) for item in items] or [Ignored(Reason.NO_POST)]


def _post(item: dict[str, str]) -> Outcome:
    text = item.get("content_text", "Why does my lamp blink?")
    return post(network=NETWORK, kind="public_post", native_id=item["id"], author={"id": "u1"}, text=text)


class Told:
    """A sink that remembers, and proves that it was told inside a transaction."""

    def __init__(self) -> None:
        self.changes: list[CoverageChange] = []
        self.gaps: list[Gap] = []

    async def changed(self, connection: Database, change: CoverageChange) -> None:
        assert connection.is_in_transaction()  # type: ignore[attr-defined] # asyncpg's own
        self.changes.append(change)

    async def missed(self, connection: Database, gap: Gap) -> None:
        assert connection.is_in_transaction()  # type: ignore[attr-defined] # as above
        self.gaps.append(gap)

    def reasons(self) -> list[str | None]:
        return [_reason(each) for each in self.changes]

    def reasons_of(self, integration: str) -> list[str | None]:
        return [_reason(each) for each in self.changes if each.integration == integration]


def _reason(change: CoverageChange) -> str | None:
    return change.now.reason.name if change.now.reason else None


class Fetched:
    """What was kept of the integration."""

    def __init__(self, dsn: str, roster: dict[str, Integration]) -> None:
        self.dsn = dsn
        self.roster = roster
        """Who is fetched; the test may change it."""

    async def post_ids(self) -> list[UUID]:
        """The posts that were promised to the log, in order, repeats included."""
        connection = await asyncpg.connect(self.dsn)
        try:
            rows = await connection.fetch(
                "SELECT post.post_id FROM ingest.outbox, ingest.post "
                "WHERE headers::text LIKE '%' || event_id::text || '%' ORDER BY outbox.id"
            )
        finally:
            await connection.close()
        return [row["post_id"] for row in rows]

    async def remembers(self, part: bytes = b"") -> None:
        """Wait until a position that contains `part` is saved, so that a crash from here on forgets nothing."""
        connection = await asyncpg.connect(self.dsn)
        try:
            await until(lambda: connection.fetch("SELECT position FROM ingest.cursor"), partial(_any_contains, part))
        finally:
            await connection.close()

    async def forget_position(self) -> None:
        """As a crash would, after the accept and before the position was saved."""
        connection = await asyncpg.connect(self.dsn)
        try:
            await connection.execute("DELETE FROM ingest.cursor")
        finally:
            await connection.close()

    async def holds(self, *native_ids: str, seconds: float = 20.0) -> None:
        """Wait until these are kept, and prove that nothing else is, and nothing twice."""
        expected = sorted(identity.post_id(TENANT, INTEGRATION, each) for each in native_ids)
        found = await until(self.post_ids, lambda found: len(found) >= len(expected), seconds)
        assert sorted(found) == expected


def _any_contains(part: bytes, rows: Sequence[Mapping[str, bytes]]) -> bool:
    return any(part in row["position"] for row in rows)


async def eventually(holds: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait until it holds."""

    async def ask() -> bool:
        return holds()

    await until(ask, seconds=seconds)


def integration(number: int = 0, **fields: Any) -> Integration:
    name = f"{INTEGRATION}-{number}" if number else INTEGRATION
    return Integration(id=name, tenant=TENANT, kind="import", **fields)


def listener(source: Source, expectation: Expectation, reads: Normalize = normalize, account: str = "") -> Listener:
    return Listener(source, Reader(reads, Account(account), Normalizer(integration(), b"k" * 32)), expectation)


def connection(network: str, account: Account | None = None, secret: str = "", **options: str) -> Connection:
    return Connection(INTEGRATION, TENANT, network, account or Account(), secret, options)


@asynccontextmanager
async def tools(dsn: str) -> AsyncIterator[Tools]:
    settings = PostgresSettings(dsn=SecretStr(dsn))
    async with (
        open_pool(settings, schema="ingest", application_name="test") as pool,
        OutboundClient(local=True) as http,
    ):
        yield Tools(http, utc_now, KeptPosts(pool))


@asynccontextmanager
async def fetching(
    dsn: str, *listeners: Listener, told: Told | None = None, seen: str | None = None
) -> AsyncIterator[Fetched]:
    """Fetch inside the block, as one process would; leaving it is a crash: nothing is finished.

    `seen` is another way to the same database, to look at it while this one is away.
    """
    settings = PostgresSettings(dsn=SecretStr(dsn))
    async with open_pool(settings, schema="ingest", application_name="test") as pool:
        acceptor = GroupCommit(partial(store.keep, pool), AcceptSettings(), on_commit=lambda: None)
        opened = {integration(number).id: each for number, each in enumerate(listeners)}
        roster = {name: integration(number) for number, name in enumerate(opened)}
        runner = Fetching(lambda: roster, lambda each: opened[each.id], acceptor, told or Told(), utc_now, pace=PACE)
        tasks = [asyncio.create_task(acceptor.run()), asyncio.create_task(runner.run(settings, schema="ingest"))]
        try:
            yield Fetched(seen or dsn, roster)
        finally:
            for task in reversed(tasks):
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task
