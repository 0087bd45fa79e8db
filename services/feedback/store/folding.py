"""Writes what a batch changes: one statement per table, however many posts there are."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from chassis.postgres import Connection
from services.feedback.facts import Answered
from services.feedback.projection import Cell, Changes, Heard, Insight, Post

_POST_COLUMNS = ", ".join(Post._fields)
_LOAD = f"SELECT {_POST_COLUMNS} FROM post WHERE post_name = ANY ($1::text[])"  # noqa: S608 - columns of ours

_SAVE = f"""
INSERT INTO post ({_POST_COLUMNS}, evidence)
SELECT * FROM unnest(
    $1::text[], $2::text[], $3::uuid[], $4::uuid[], $5::int[], $6::text[], $7::text[], $8::text[], $9::text[],
    $10::text[], $11::timestamptz[], $12::text[], $13::text[], $14::text[], $15::timestamptz[], $16::timestamptz[],
    $17::boolean[], $18::bytea[])
ON CONFLICT (post_name) DO UPDATE SET
    tenant = excluded.tenant, event_id = excluded.event_id, post_event_id = excluded.post_event_id,
    revision = excluded.revision, state = excluded.state, direction = excluded.direction,
    category = excluded.category, decision = excluded.decision, authority = excluded.authority,
    decided_at = excluded.decided_at, network = excluded.network, language = excluded.language,
    integration = excluded.integration, heard_at = excluded.heard_at, event_time = excluded.event_time,
    dated = excluded.dated, evidence = excluded.evidence"""  # noqa: S608 - columns of ours

# The insight that stands tells the post's time.
_REDATE = """
WITH redated AS (
    UPDATE post SET heard_at = told.heard_at, event_time = told.event_time
    FROM unnest($1::text[], $2::timestamptz[], $3::timestamptz[]) AS told (post_name, heard_at, event_time)
    WHERE post.post_name = told.post_name RETURNING post.event_id, post.event_time
)
UPDATE insight SET event_time = redated.event_time FROM redated WHERE insight.event_id = redated.event_id"""

# A cell that nothing is left of has no row, so that the table stays equal to the aggregate of `post`.
_COUNT = """
MERGE INTO volume USING unnest(
    $1::text[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::boolean[], $7::bigint[]
) AS change (tenant, hour, category, network, language, triage, delta)
ON volume.tenant = change.tenant AND volume.hour = change.hour AND volume.category = change.category
    AND volume.network = change.network AND volume.language = change.language AND volume.triage = change.triage
WHEN MATCHED AND volume.post_count + change.delta = 0 THEN DELETE
WHEN MATCHED THEN UPDATE SET post_count = volume.post_count + change.delta
WHEN NOT MATCHED THEN INSERT VALUES (
    change.tenant, change.hour, change.category, change.network, change.language, change.triage, change.delta)"""

_ANSWER = """
INSERT INTO answer (post_name, reply_name, tenant)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[]) ON CONFLICT DO NOTHING"""

_LEARN = """
INSERT INTO insight (tenant, event_id, event_time, post_name, network, category, was_category, language,
    was_language, triage, was_triage, payload)
SELECT tenant, event_id, event_time, post_name, network, category, was_category, language, was_language,
    triage, was_triage, payload
FROM unnest(
    $1::text[], $2::uuid[], $3::timestamptz[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::text[], $10::boolean[], $11::boolean[], $12::bytea[]
) WITH ORDINALITY AS learnt (tenant, event_id, event_time, post_name, network, category, was_category, language,
    was_language, triage, was_triage, payload, position)
ORDER BY position
ON CONFLICT (event_id) DO NOTHING"""


async def load_posts(connection: Connection, names: Sequence[str]) -> dict[str, Post]:
    """How the posts of these names stand; those never heard of are absent."""
    rows = await connection.fetch(_LOAD, names)
    return {row["post_name"]: Post(*row.values()) for row in rows}


async def save(connection: Connection, changes: Changes, answers: Sequence[Answered]) -> None:
    """Write `changes` and the answers that were sent; the insight log comes last."""
    await _run(connection, _SAVE, (_post_row(heard) for heard in changes.posts))
    redated = ((post.post_name, post.heard_at, post.event_time) for post in changes.redated)
    await _run(connection, _REDATE, redated)
    await _run(connection, _COUNT, _volume_rows(changes.volumes))
    await _run(connection, _ANSWER, ((post, each.reply, each.tenant) for each in answers for post in each.posts))
    await learn(connection, [*changes.insights, *(each.insight for each in answers)])


async def learn(connection: Connection, insights: Iterable[Insight]) -> None:
    """Append to the insight log, in order; an event that stands in it already is left alone."""
    await _run(connection, _LEARN, insights)


async def _run(connection: Connection, statement: str, rows: Iterable[Sequence[Any]]) -> None:
    columns = list(zip(*rows, strict=True))
    if columns:
        await connection.execute(statement, *columns)


def _post_row(heard: Heard) -> tuple[object, ...]:
    return (*heard.post, heard.evidence)


def _volume_rows(volumes: Mapping[Cell, int]) -> Iterable[tuple[object, ...]]:
    return ((*cell, delta) for cell, delta in volumes.items())
