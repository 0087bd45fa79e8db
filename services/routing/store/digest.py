"""One hash of everything that the read model says, equal wherever the same events were folded, in any order."""

import hashlib
from typing import Final

from chassis.postgres import Connection

_PREFETCH_ROWS: Final = 1_000
_TABLES: Final = {
    # Under another name: `decision` is one of its columns, too.
    "decision": 'SELECT stood::text AS row FROM decision AS stood ORDER BY post_name COLLATE "C"',
    "judgement": "SELECT judgement::text AS row FROM judgement ORDER BY event_id",
}


async def digest(connection: Connection) -> str:
    """SHA-256 of the read model, in hex."""
    total = hashlib.sha256()
    async with connection.transaction():
        await connection.execute("SET LOCAL timezone TO 'UTC'")
        for table, query in _TABLES.items():
            total.update(f"\n{table}\n".encode())
            async for row in connection.cursor(query, prefetch=_PREFETCH_ROWS):
                total.update(row["row"].encode() + b"\n")
    return total.hexdigest()
