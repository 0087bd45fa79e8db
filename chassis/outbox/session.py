"""The relay's session with PostgreSQL: the shards that it holds by advisory locks, and their rows."""

import math
import random
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from chassis.messages import Outgoing
from chassis.outbox.rows import read_headers
from chassis.outbox.shards import SHARDS
from chassis.postgres import POSTGRES_UNAVAILABLE, PostgresSettings, Session, connect

_CLOSE_SECONDS = 2.0
_SESSION_SETTINGS = {
    # An outbox is empty when it is analysed and full when it matters: its statistics mislead the planner.
    "enable_seqscan": "off",
    "enable_bitmapscan": "off",
    # A delete that a crash of the server forgets repeats a message, which is allowed: it need not wait for the disk.
    "synchronous_commit": "off",
}

_LOCKS = "hashtext(current_schema() || '.outbox.relay')"
# Every relay holds this one, shared: those who hold it are the relays that share the shards.
_JOIN = f"SELECT pg_advisory_lock_shared({_LOCKS}, {SHARDS})"
_COUNT_RELAYS = f"""
SELECT count(*) FROM pg_locks
WHERE locktype = 'advisory' AND granted AND objsubid = 2
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
  AND classid = {_LOCKS}::oid AND objid = {SHARDS}"""  # noqa: S608 - constants of this module
_TAKE = f"""
SELECT shard FROM unnest($1::int[]) AS shard
WHERE pg_try_advisory_lock({_LOCKS}, shard) LIMIT $2"""  # noqa: S608 - constants of this module
_GIVE_BACK = f"SELECT pg_advisory_unlock({_LOCKS}, shard) FROM unnest($1::int[]) AS shard"  # noqa: S608 - as above
_OLDEST_ROWS = """
SELECT batch.* FROM unnest($1::smallint[], $2::int[]) AS wanted (shard, row_limit)
CROSS JOIN LATERAL (
    SELECT * FROM (
        SELECT id, shard, topic, key, value, headers,
               sum(octet_length(value)) OVER (ORDER BY id ROWS UNBOUNDED PRECEDING) AS bytes
        FROM outbox WHERE outbox.shard = wanted.shard ORDER BY id LIMIT wanted.row_limit
    ) AS oldest WHERE bytes - octet_length(value) < $3
) AS batch ORDER BY batch.id"""
_DELETE = "DELETE FROM outbox WHERE id = ANY($1::bigint[])"
_MEASURE = """
SELECT
    (SELECT count(*) FROM (
        SELECT FROM outbox WHERE shard = ANY($1::smallint[]) LIMIT 100000
    ) AS counted) AS depth,
    (SELECT coalesce(extract(epoch FROM now() - min(head.created_at)), 0)::float8
     FROM unnest($1::smallint[]) AS wanted (shard)
     CROSS JOIN LATERAL (
         SELECT created_at FROM outbox WHERE outbox.shard = wanted.shard ORDER BY id LIMIT 1
     ) AS head) AS oldest_age_seconds"""


@dataclass(frozen=True, slots=True)
class OutboxRow:
    """A row of the outbox as the message that it promises."""

    id: int
    message: Outgoing


@dataclass(frozen=True, slots=True)
class Backlog:
    """How much waits in the shards that a relay holds; `depth` stops counting at 100,000."""

    depth: int
    oldest_age_seconds: float


class OutboxSession:
    """One session with the server. When it is lost, its shards are free for other relays at once."""

    def __init__(self, connection: Session) -> None:
        self._connection = connection
        self._held: set[int] = set()

    def is_lost(self) -> bool:
        """Tell whether the shards are held no more."""
        return self._connection.is_closed()

    async def surplus(self) -> int:
        """Answer how many shards more than its fair share this relay holds; negative: how many it lacks."""
        relays: int = await self._connection.fetchval(_COUNT_RELAYS)
        return len(self._held) - math.ceil(SHARDS / max(1, relays))

    async def take(self, count: int) -> list[int]:
        """Take up to `count` shards that no relay holds."""
        free = [shard for shard in range(SHARDS) if shard not in self._held]
        random.shuffle(free)
        taken = [row["shard"] for row in await self._connection.fetch(_TAKE, free, count)]
        self._held.update(taken)
        return taken

    async def give_back(self, shards: Iterable[int]) -> None:
        """Leave `shards` to other relays; no batch of them may be under way."""
        given = list(shards)
        await self._connection.execute(_GIVE_BACK, given)
        self._held.difference_update(given)

    async def oldest(self, row_limits: Mapping[int, int], byte_limit: int) -> dict[int, list[OutboxRow]]:
        """Answer the oldest rows of each shard in `row_limits`, in order; at least one where there is any."""
        limits = [row_limits[shard] for shard in row_limits]
        batches: dict[int, list[OutboxRow]] = {}
        for row in await self._connection.fetch(_OLDEST_ROWS, list(row_limits), limits, byte_limit):
            message = Outgoing(row["topic"], row["key"], row["value"], read_headers(row["headers"]))
            batches.setdefault(row["shard"], []).append(OutboxRow(row["id"], message))
        return batches

    async def delete(self, ids: Sequence[int]) -> None:
        """Forget rows whose messages were acknowledged."""
        await self._connection.execute(_DELETE, ids)

    async def measure(self) -> Backlog:
        """Count what waits in the held shards."""
        row = await self._connection.fetchrow(_MEASURE, sorted(self._held))
        return Backlog(row["depth"], row["oldest_age_seconds"]) if row else Backlog(0, 0.0)


@asynccontextmanager
async def open_session(
    settings: PostgresSettings, *, schema: str, application_name: str, on_loss: Callable[[], None]
) -> AsyncIterator[OutboxSession]:
    """Join the relays of `schema`; leaving gives up all shards. `on_loss` is called when the session ends."""
    connection = await connect(
        settings, schema=schema, application_name=application_name, server_settings=_SESSION_SETTINGS
    )
    try:
        connection.add_termination_listener(lambda _: on_loss())
        await connection.execute(_JOIN)
        yield OutboxSession(connection)
    finally:
        await _close(connection)


async def _close(connection: Session) -> None:
    try:
        await connection.close(timeout=_CLOSE_SECONDS)
    except POSTGRES_UNAVAILABLE:
        connection.terminate()
