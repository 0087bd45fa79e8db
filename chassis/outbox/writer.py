"""Writing to the outbox in the caller's transaction: state and event are kept together or not at all."""

from collections.abc import AsyncIterator, Sequence

from chassis.messages import Outgoing
from chassis.outbox.encoding import COLUMNS, encode_rows
from chassis.outbox.shards import shard_of
from chassis.postgres import Connection

_LOCK_SHARDS = (
    "SELECT pg_advisory_xact_lock(hashtext(current_schema() || '.outbox.write'), shard) FROM unnest($1::int[]) AS shard"
)


async def enqueue(connection: Connection, messages: Sequence[Outgoing]) -> None:
    """Promise to publish `messages`, in their order, once the caller's transaction commits.

    Call it once and last in the transaction: it locks the shards of the keys until the commit, so that rows of
    a shard become visible in the order of their ids, whichever process wrote them. Row locks taken after it
    may deadlock, and what is slow after it holds up every writer. After the commit call `Relay.hint()`.
    """
    if not messages:
        return
    await connection.execute(_LOCK_SHARDS, sorted({shard_of(message.key) for message in messages}))
    await connection.copy_to_table("outbox", source=_once(encode_rows(messages)), columns=COLUMNS, format="binary")


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data
