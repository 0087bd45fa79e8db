"""Counts per hour and dimension, and up to when they are whole."""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from chassis.postgres import Queries, Row
from services.feedback.filters import Filter, TimeRange

# Whole hours are summed from `volume`; the posts of the hours that the range cuts are counted one by one.
_QUERY: Final = """
WITH counted AS (
    SELECT hour, category, network, language, triage, post_count FROM volume
    WHERE tenant = $1 AND ($2::timestamptz IS NULL OR hour >= $2) AND ($3::timestamptz IS NULL OR hour < $3)
    UNION ALL
    SELECT date_trunc('hour', event_time, 'UTC'), category, network, language, decision = 'abstained', 1 FROM post
    WHERE tenant = $1 AND evidence IS NOT NULL
        AND (event_time >= $4 AND event_time < $5 OR event_time >= $6 AND event_time < $7)
)
SELECT CASE WHEN $12 THEN category END AS category, CASE WHEN $13 THEN network END AS network,
    CASE WHEN $14 THEN language END AS language, CASE WHEN $15 THEN hour END AS hour,
    sum(post_count)::bigint AS post_count,
    coalesce(sum(post_count) FILTER (WHERE triage), 0)::bigint AS triage_count
FROM counted
WHERE ($8::text[] IS NULL OR category = ANY ($8)) AND ($9::text[] IS NULL OR network = ANY ($9))
    AND ($10::text[] IS NULL OR language = ANY ($10)) AND ($11::boolean IS NULL OR triage = $11)
GROUP BY 1, 2, 3, 4 ORDER BY 4, 1, 2, 3 LIMIT $16"""

_COMPLETE: Final = "SELECT complete_through FROM insight_log"

# `false` where a count differs from the posts that stand, in either direction.
_MATCH: Final = """
WITH counted AS (
    SELECT tenant, date_trunc('hour', event_time, 'UTC') AS hour, category, network, language,
        decision = 'abstained' AS triage, count(*) AS post_count
    FROM post WHERE evidence IS NOT NULL GROUP BY 1, 2, 3, 4, 5, 6
)
SELECT NOT EXISTS (
    SELECT FROM counted FULL JOIN volume USING (tenant, hour, category, network, language, triage)
    WHERE counted.post_count IS DISTINCT FROM volume.post_count)"""

_DIMENSIONS: Final = ("category", "network", "language", "hour")


async def query_volumes(  # noqa: PLR0913 - the parts of the question
    connection: Queries, tenant: str, narrowed: Filter, span: TimeRange, group_by: Collection[str], *, limit: int
) -> list[Row]:
    """Up to `limit` cells, by hour, category, network and language; a dimension outside `group_by` is null."""
    whole, (before, after) = span.whole_hours(), span.edges()
    return await connection.fetch(
        _QUERY,
        tenant,
        *(whole.start, whole.end, before.start, before.end, after.start, after.end),
        *(narrowed.categories, narrowed.networks, narrowed.languages, narrowed.triage),
        *(dimension in group_by for dimension in _DIMENSIONS),
        limit,
    )


async def complete_through(connection: Queries) -> datetime | None:
    """Everything that had come into the log of posts by then is in the read models; None where that is not known.

    Read it before the counts: then they hold at least what it promises.
    """
    time: datetime | None = await connection.fetchval(_COMPLETE)
    return time


async def volumes_match(connection: Queries) -> bool:
    """Whether the counts are exactly those of the posts that stand."""
    return bool(await connection.fetchval(_MATCH))
