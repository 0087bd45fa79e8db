"""What the read models can and cannot know: up to when they are whole, and which accounts do not hear."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from ascolto.coverage.v1.coverage_pb2 import CoverageChanged
from chassis.postgres import Connection, Queries
from services.feedback.facts import Covered
from services.feedback.filters import TimeRange
from services.feedback.store.folding import learn

# Replicas find out on their own: the latest moment holds. `greatest` passes over null.
_RECORD: Final = "UPDATE insight_log SET complete_through = greatest(complete_through, $1)"
_SAVE: Final = """
INSERT INTO coverage (tenant, integration, network, hears, since, told_at, event_id, payload)
SELECT * FROM unnest(
    $1::text[], $2::text[], $3::text[], $4::boolean[], $5::timestamptz[], $6::timestamptz[], $7::uuid[], $8::bytea[])
ON CONFLICT (tenant, integration) DO UPDATE SET
    network = excluded.network, hears = excluded.hears, since = excluded.since, told_at = excluded.told_at,
    event_id = excluded.event_id, payload = excluded.payload
WHERE (coverage.told_at, coverage.event_id) < (excluded.told_at, excluded.event_id)"""
_SAVE_GAPS: Final = """
INSERT INTO coverage_gap (event_id, tenant, integration, network, began_at, ended_at, payload)
SELECT * FROM unnest(
    $1::uuid[], $2::text[], $3::text[], $4::text[], $5::timestamptz[], $6::timestamptz[], $7::bytea[])
ON CONFLICT (event_id) DO NOTHING"""
_GAPS: Final = """
SELECT payload FROM coverage WHERE tenant = $1 AND NOT hears AND ($2::text[] IS NULL OR network = ANY ($2))
ORDER BY network, integration"""
_MISSED: Final = """
SELECT payload FROM coverage_gap
WHERE tenant = $1 AND ($2::text[] IS NULL OR network = ANY ($2))
    AND ($3::timestamptz IS NULL OR ended_at > $3) AND ($4::timestamptz IS NULL OR began_at < $4)
ORDER BY ended_at DESC, event_id LIMIT 100"""


async def record_complete_through(connection: Queries, time: datetime) -> None:
    """Everything that had come into the log of posts by `time` is in the read models."""
    await connection.execute(_RECORD, time)


async def save_coverage(connection: Connection, changes: Sequence[Covered]) -> None:
    """Keep how each account stands now and what was missed before, and append both to the insight log."""
    present = [each for each in changes if each.until is None]
    latest = {(each.tenant, each.integration): each for each in sorted(present, key=lambda each: each.rank)}
    await _save(connection, _SAVE, [_present_row(each) for each in latest.values()])
    await _save(connection, _SAVE_GAPS, [_gap_row(each) for each in changes if each.until is not None])
    await learn(connection, [each.insight for each in changes])


async def gaps(
    connection: Queries, tenant: str, networks: Sequence[str] | None, span: TimeRange
) -> list[CoverageChanged]:
    """The accounts that do not hear now, of all networks or of some; then the newest gaps of `span` that stay."""
    rows = await connection.fetch(_GAPS, tenant, networks)
    rows += await connection.fetch(_MISSED, tenant, networks, span.start, span.end)
    return [CoverageChanged.FromString(row["payload"]) for row in rows]


async def _save(connection: Connection, statement: str, rows: Sequence[tuple[object, ...]]) -> None:
    if rows:
        await connection.execute(statement, *zip(*rows, strict=True))


def _present_row(told: Covered) -> tuple[object, ...]:
    where = (told.tenant, told.integration, told.network)
    return (*where, told.hears, told.since, told.heard_at, told.event_id, told.payload)


def _gap_row(told: Covered) -> tuple[object, ...]:
    return (told.event_id, told.tenant, told.integration, told.network, told.since, told.until, told.payload)
