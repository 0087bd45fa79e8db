"""One hash of everything that the read models say, equal wherever the same events were folded, in any order.

Left out is what tells of the way there: `seq`, insights that were since overtaken, and what this machine did when.
"""

import hashlib
from typing import Final

from chassis.postgres import Connection

_PREFETCH_ROWS: Final = 1_000
_TABLES: Final = {
    "post": 'SELECT post::text AS row FROM post ORDER BY post_name COLLATE "C"',
    "volume": """
        SELECT volume::text AS row FROM volume
        ORDER BY tenant COLLATE "C", hour, category, network COLLATE "C", language COLLATE "C", triage""",
    "answer": 'SELECT answer::text AS row FROM answer ORDER BY post_name COLLATE "C", reply_name COLLATE "C"',
    "coverage": 'SELECT coverage::text AS row FROM coverage ORDER BY tenant COLLATE "C", integration COLLATE "C"',
    "coverage_gap": "SELECT coverage_gap::text AS row FROM coverage_gap ORDER BY event_id",
    # Of each post the insight that stands; of answers all. That a post turned out to be the brand's own is told only
    # where it had counted before, which depends on the way there.
    "insight": """
        SELECT (insight.tenant, event_id, insight.event_time, post_name, payload)::text AS row FROM insight
        WHERE post_name IS NULL OR EXISTS (
            SELECT FROM post WHERE post.post_name = insight.post_name AND post.event_id = insight.event_id
                AND (post.evidence IS NOT NULL OR post.state = 'deleted'))
        ORDER BY event_id""",
}


async def digest(connection: Connection) -> str:
    """SHA-256 of the read models, in hex."""
    total = hashlib.sha256()
    async with connection.transaction():
        await connection.execute("SET LOCAL timezone TO 'UTC'")
        for table, query in _TABLES.items():
            total.update(f"\n{table}\n".encode())
            async for row in connection.cursor(query, prefetch=_PREFETCH_ROWS):
                total.update(row["row"].encode() + b"\n")
    return total.hexdigest()
