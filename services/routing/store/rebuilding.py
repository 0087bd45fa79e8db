"""Empties the read model, in the transaction that fills it again, and reads what was promised but not published."""

from typing import Final

from chassis.messages import Record
from chassis.outbox import read_headers
from chassis.postgres import Connection
from contracts.topics import CORRECTIONS

_TABLES: Final = ("inbox", "decision", "judgement")
# DELETE, and not TRUNCATE: readers go on seeing the old read model until the new one is committed.
_EMPTY: Final = tuple(f"DELETE FROM {table}" for table in _TABLES)  # noqa: S608 - tables of ours
_WAITING: Final = "SELECT topic, key, value, headers::text AS headers FROM outbox WHERE topic = $1 ORDER BY id"


async def empty(connection: Connection) -> None:
    """Drop what the topics hold; labels stay."""
    for statement in _EMPTY:
        await connection.execute(statement)


async def waiting_corrections(connection: Connection) -> list[Record]:
    """Corrections in the outbox, as they will be read."""
    rows = await connection.fetch(_WAITING, CORRECTIONS.name)
    return [Record(row["topic"], 0, 0, 0, row["key"], row["value"], read_headers(row["headers"])) for row in rows]
