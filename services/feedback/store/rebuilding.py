"""Empties the read models, in the transaction that fills them again."""

from typing import Final

from chassis.postgres import Connection

_TABLES: Final = ("inbox", "post", "volume", "answer", "insight", "coverage", "coverage_gap")
_EMPTY: Final = tuple(f"DELETE FROM {table}" for table in _TABLES)  # noqa: S608 - tables of ours
# Of the clock: a database that was restored from a backup has forgotten which numbers were handed out since.
_NEXT_EPOCH: Final = """
UPDATE insight_log SET
    epoch = greatest(epoch + 1, extract(epoch FROM clock_timestamp())::bigint), complete_through = NULL
RETURNING epoch"""


async def begin_anew(connection: Connection) -> int:
    """Empty everything and open the next epoch of the insight log; answers its number.

    `seq` goes on from where it was, so that no cursor of the old epoch can ever meet a new insight. DELETE, and not
    TRUNCATE: queries go on seeing the old read models until the new ones are committed.
    """
    for statement in _EMPTY:
        await connection.execute(statement)
    return int(await connection.fetchval(_NEXT_EPOCH))
