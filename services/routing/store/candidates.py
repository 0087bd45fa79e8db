"""What stands of posts, page by page, and what a candidate says of them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from chassis.postgres import Connection, Queries
from services.routing.reclassification.candidates import Candidate, Stood
from services.routing.store.locks import folding

MAX_PAGE_BYTES: Final = 8 * 1024 * 1024
"""A page ends with the post that reaches it."""
_FORGET_ROWS: Final = 10_000

_NAMES: Final = ", ".join(Stood._fields)
_PAGE: Final = f"""
SELECT {_NAMES} FROM (
    SELECT decision.post_name, decision.revision, decision.language, decision.network,
        coalesce(label.category, CASE WHEN decision.authority = 'person' THEN decision.category END) AS label,
        decision.category, decision.decision, decision.kind, decision.stage, decision.payload,
        coalesce(sum(octet_length(decision.payload)) OVER (
            ORDER BY decision.post_name ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS bytes_before
    FROM (
        SELECT * FROM decision AS stood
        WHERE tenant = $1 AND post_name > $2 AND ($3::timestamptz IS NULL OR heard_at >= $3)
            AND stood.decision <> 'rule' AND NOT deleted
        ORDER BY post_name LIMIT $4
    ) AS decision LEFT JOIN label USING (post_name)
) AS measured WHERE bytes_before < $5 ORDER BY post_name"""  # noqa: S608 - constants of this module

# In the order of names, as whoever folds locks them, and until the candidates are committed: what a text is replaced
# by meanwhile finds the words that it has to take away.
_STILL: Final = """
SELECT post_name, revision FROM decision WHERE post_name = ANY ($1) AND NOT deleted ORDER BY post_name FOR SHARE"""

_COLUMNS: Final = ", ".join(Candidate._fields)
_TYPES: Final = {
    "revision": "integer",
    "probability": "real",
    "differs": "boolean",
    "stands_by_language_model": "boolean",
    "payload": "bytea",
}
_ARRAYS: Final = ", ".join(f"${at}::{_TYPES.get(name, 'text')}[]" for at, name in enumerate(Candidate._fields, 2))
_KEEP: Final = f"""
INSERT INTO reclassification_result (run, {_COLUMNS})
SELECT $1, * FROM unnest({_ARRAYS})"""  # noqa: S608 - as above

# Without waiting for rows: a text that is replaced meanwhile holds those of its own, in an order of its own.
_FORGET: Final = """
DELETE FROM reclassification_result WHERE (run, post_name) IN (
    SELECT run, post_name FROM reclassification_result WHERE run = $1 LIMIT $2 FOR UPDATE SKIP LOCKED)"""
_ENDED: Final = """
SELECT id FROM reclassification_run AS ended WHERE tenant = $1 AND state IN ('promoted', 'discarded')
    AND EXISTS (SELECT FROM reclassification_result WHERE run = ended.id)"""


async def page(queries: Queries, tenant: str, since: datetime | None, after: str, limit: int) -> list[Stood]:
    """Up to `limit` live posts behind `after` that a model or a person decided about, by name."""
    rows = await queries.fetch(_PAGE, tenant, after, since, limit, MAX_PAGE_BYTES)
    return [Stood(*row.values()) for row in rows]


async def keep(connection: Connection, run: UUID, candidates: Sequence[Candidate]) -> None:
    """Keep what the candidate says, in the caller's transaction; the words only of texts that still stand."""
    if not candidates:
        return
    await folding(connection)
    names = [each.post_name for each in candidates if each.payload is not None]
    still = {(row["post_name"], row["revision"]) for row in await connection.fetch(_STILL, names)}
    kept = [each if (each.post_name, each.revision) in still else each._replace(payload=None) for each in candidates]
    await connection.execute(_KEEP, run, *(list(column) for column in zip(*kept, strict=True)))


async def forget(queries: Queries, tenant: str) -> None:
    """Drop what runs found that are promoted or discarded, a bounded number at a time.

    A row that is locked at the moment stays for the next time.
    """
    for ended in await queries.fetch(_ENDED, tenant):
        while await queries.execute(_FORGET, ended["id"], _FORGET_ROWS) == f"DELETE {_FORGET_ROWS}":
            pass
