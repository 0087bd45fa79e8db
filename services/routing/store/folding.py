"""Writes decisions: into what stands of each post, and into the history that explains it."""

from collections.abc import Sequence
from typing import Final

from chassis.postgres import Connection
from services.routing.standing import Decided, Fact, standing

_COLUMNS: Final = ", ".join(Decided._fields)
_TYPES: Final = {
    "revision": "integer",
    "deleted": "boolean",
    "decided_at": "timestamptz",
    "event_id": "uuid",
    "probability": "real",
    "heard_at": "timestamptz",
    "priority_at": "timestamptz",
    "payload": "bytea",
}
_ARRAYS: Final = ", ".join(f"${at}::{_TYPES.get(name, 'text')}[]" for at, name in enumerate(Decided._fields, 1))
_REPLACED: Final = ", ".join(
    f"{name} = excluded.{name}" for name in Decided._fields if name not in {"post_name", "heard_at", "priority_at"}
)
_RANK: Final = "({0}.deleted, {0}.revision, {0}.authority, {0}.decided_at, {0}.event_id)"
# Of one version of a post the earliest word tells when it was heard, as in `standing`.
_HEARD: Final = """CASE WHEN (excluded.deleted, excluded.revision) = (stood.deleted, stood.revision)
    THEN least(excluded.heard_at, stood.heard_at) ELSE excluded.heard_at END"""

# In one order of names, so that two writers do not lock the same posts crosswise.
_SAVE: Final = f"""
INSERT INTO decision AS stood ({_COLUMNS})
SELECT * FROM unnest({_ARRAYS}) AS decided ({_COLUMNS}) ORDER BY post_name
ON CONFLICT (post_name) DO UPDATE SET {_REPLACED},
    heard_at = {_HEARD},
    priority_at = excluded.priority_at - (excluded.heard_at - {_HEARD})
WHERE {_RANK.format("excluded")} > {_RANK.format("stood")}
RETURNING post_name"""  # noqa: S608 - constants of this module

_HEARD_EARLIER: Final = """
UPDATE decision SET heard_at = late.heard_at, priority_at = priority_at - (decision.heard_at - late.heard_at)
FROM unnest($1::text[], $2::boolean[], $3::integer[], $4::timestamptz[])
    AS late (post_name, deleted, revision, heard_at)
WHERE decision.post_name = late.post_name AND late.heard_at < decision.heard_at
    AND (decision.deleted, decision.revision) = (late.deleted, late.revision)"""

_KEEP: Final = """
INSERT INTO judgement (event_id, post_name, revision, deleted, authority, decided_at, payload, corrected_by,
    correction_reason)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::integer[], $4::boolean[], $5::text[], $6::timestamptz[], $7::bytea[],
    $8::text[], $9::text[])
ON CONFLICT DO NOTHING"""


async def save(connection: Connection, facts: Sequence[Fact]) -> set[str]:
    """Take decisions in, those that others have overtaken into the history alone; safe to repeat.

    Answers the names of the posts of which something else stands than before. Their rows, and those of all other
    posts that `facts` name, are locked until the transaction ends.
    """
    if not facts:
        return set()
    best = standing(fact.decided for fact in facts)
    changed = {row["post_name"] for row in await connection.fetch(_SAVE, *_columns(best))}
    await _hear_earlier(connection, [decided for decided in best if decided.post_name not in changed])
    await connection.execute(_KEEP, *_columns([_history_row(fact) for fact in facts]))
    return changed


async def _hear_earlier(connection: Connection, overtaken: Sequence[Decided]) -> None:
    if overtaken:
        rows = [(each.post_name, each.deleted, each.revision, each.heard_at) for each in overtaken]
        await connection.execute(_HEARD_EARLIER, *_columns(rows))


def _history_row(fact: Fact) -> tuple[object, ...]:
    made = fact.decided
    return (
        *(made.event_id, made.post_name, made.revision, made.deleted, made.authority, made.decided_at),
        *(fact.outline, made.corrected_by, made.correction_reason),
    )


def _columns(rows: Sequence[tuple[object, ...]]) -> list[list[object]]:
    return [list(column) for column in zip(*rows, strict=True)]
