"""Writing to the outbox in the caller's transaction: state and event are kept together or not at all."""

from collections.abc import Sequence
from typing import Final

from chassis.messages import Outgoing
from chassis.outbox.rows import columns_of
from chassis.postgres import Connection

ENQUEUE_ROWS: Final = """
INSERT INTO outbox (shard, topic, key, value, headers)
SELECT shard, topic, key, value, headers
FROM outbox_row CROSS JOIN (
    SELECT count(pg_advisory_xact_lock(hashtext(current_schema() || '.outbox.write'), shard)) AS shards
    FROM (SELECT DISTINCT shard FROM outbox_row ORDER BY shard) AS wanted
) AS locked
WHERE locked.shards > 0
ORDER BY position"""
"""Promises the rows of a CTE `outbox_row (shard, topic, key, value, headers, position)` that stands before it.

A statement of the caller's own saves a round trip where every one counts. The locks are taken once all rows are known,
and ids are drawn once they are held.
"""

_ENQUEUE = f"""
WITH outbox_row AS MATERIALIZED (
    SELECT * FROM unnest($1::smallint[], $2::text[], $3::bytea[], $4::bytea[], $5::json[])
    WITH ORDINALITY AS row (shard, topic, key, value, headers, position)
) {ENQUEUE_ROWS}"""  # noqa: S608 - constants of this module


async def enqueue(connection: Connection, messages: Sequence[Outgoing]) -> None:
    """Promise to publish `messages`, in their order, once the caller's transaction commits.

    Call it once and last in the transaction: it locks the shards of the keys until the commit, so that rows of
    a shard become visible in the order of their ids, whichever process wrote them. Row locks taken after it
    may deadlock, and what is slow after it holds up every writer. After the commit call `Relay.hint()`.

    Raises ValueError where headers repeat a name or are not UTF-8.
    """
    if messages:
        await connection.execute(_ENQUEUE, *columns_of(messages))
