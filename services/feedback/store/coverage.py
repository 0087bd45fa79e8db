"""What the read models can and cannot know: up to when they are whole, and which accounts do not hear."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from ascolto.coverage.v1.coverage_pb2 import CoverageChanged
from chassis.postgres import Connection, Queries
from services.feedback.facts import Covered
from services.feedback.store.folding import learn

# Replicas find out on their own: the latest moment holds. `greatest` passes over null.
_RECORD: Final = "UPDATE insight_log SET complete_through = greatest(complete_through, $1)"
_SAVE: Final = """
INSERT INTO coverage (tenant, integration, network, hears, since, event_id, payload)
SELECT * FROM unnest(
    $1::text[], $2::text[], $3::text[], $4::boolean[], $5::timestamptz[], $6::uuid[], $7::bytea[])
ON CONFLICT (tenant, integration) DO UPDATE SET
    network = excluded.network, hears = excluded.hears, since = excluded.since, event_id = excluded.event_id,
    payload = excluded.payload
WHERE (coverage.since, coverage.event_id) < (excluded.since, excluded.event_id)"""
_GAPS: Final = """
SELECT payload FROM coverage WHERE tenant = $1 AND NOT hears AND ($2::text[] IS NULL OR network = ANY ($2))
ORDER BY network, integration"""


async def record_complete_through(connection: Queries, time: datetime) -> None:
    """Everything that had come into the log of posts by `time` is in the read models."""
    await connection.execute(_RECORD, time)


async def save_coverage(connection: Connection, changes: Sequence[Covered]) -> None:
    """Keep how each account stands now, and append the changes to the insight log."""
    latest = {(each.tenant, each.integration): each for each in sorted(changes, key=lambda each: each.rank)}
    if latest:
        rows = [
            (each.tenant, each.integration, each.network, each.hears, each.since, each.event_id, each.payload)
            for each in latest.values()
        ]
        await connection.execute(_SAVE, *zip(*rows, strict=True))
    await learn(connection, [each.insight for each in changes])


async def gaps(connection: Queries, tenant: str, networks: Sequence[str] | None) -> list[CoverageChanged]:
    """The accounts that do not hear, of all networks or of some."""
    rows = await connection.fetch(_GAPS, tenant, networks)
    return [CoverageChanged.FromString(row["payload"]) for row in rows]
