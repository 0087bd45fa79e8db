"""The posts behind a count, newest first, page by page."""

from typing import Final

from chassis.postgres import Queries, Row
from services.feedback.cursors import Place
from services.feedback.filters import Filter, TimeRange

MAX_PAGE_BYTES: Final = 2 * 1024 * 1024
"""A page ends with the post that reaches it, so that it fits into one message."""

# `volume` says in which hours to look, newest first: a narrow filter has nothing in most. Those whose counts fill the
# page are enough; an hour that the range or the last page cuts may give less than its count, so it fills nothing.
_QUERY: Final = """
WITH hours AS (
    SELECT hour, sum(post_count) AS post_count FROM volume
    WHERE tenant = $1 AND ($2::timestamptz IS NULL OR hour > $2 - interval '1 hour')
        AND hour < coalesce($3::timestamptz, 'infinity') AND hour <= coalesce($8::timestamptz, 'infinity')
        AND ($4::text[] IS NULL OR category = ANY ($4)) AND ($5::text[] IS NULL OR network = ANY ($5))
        AND ($6::text[] IS NULL OR language = ANY ($6)) AND ($7::boolean IS NULL OR triage = $7)
    GROUP BY hour ORDER BY hour DESC LIMIT $10::bigint + 1
), promising AS (
    SELECT hour, coalesce(
        sum(post_count) FILTER (WHERE hour + interval '1 hour' <= coalesce(least($3, $8), 'infinity')) OVER (
            ORDER BY hour DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ), 0) AS posts_before
    FROM hours
)
SELECT event_time, post_name, evidence, answered FROM (
    SELECT event_time, post_name, evidence,
        EXISTS (SELECT FROM answer WHERE answer.post_name = page.post_name) AS answered,
        coalesce(sum(octet_length(evidence)) OVER (
            ORDER BY event_time DESC, post_name DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ), 0) AS bytes_before
    FROM (
        SELECT found.* FROM promising CROSS JOIN LATERAL (
            SELECT event_time, post_name, evidence FROM post
            WHERE tenant = $1 AND evidence IS NOT NULL
                AND event_time >= greatest(hour, $2) AND event_time < least(hour + interval '1 hour', $3)
                AND ($4 IS NULL OR category = ANY ($4)) AND ($5 IS NULL OR network = ANY ($5))
                AND ($6 IS NULL OR language = ANY ($6)) AND ($7 IS NULL OR (decision = 'abstained') = $7)
                AND event_time <= coalesce($8, 'infinity')
                AND ($8 IS NULL OR (event_time, post_name) < ($8, $9::text))
            ORDER BY event_time DESC, post_name DESC LIMIT $10
        ) AS found
        WHERE posts_before < $10 ORDER BY event_time DESC, post_name DESC LIMIT $10
    ) AS page
) AS measured WHERE bytes_before < $11 ORDER BY event_time DESC, post_name DESC"""


async def list_posts(  # noqa: PLR0913 - the parts of the question
    connection: Queries, tenant: str, narrowed: Filter, span: TimeRange, after: Place | None, *, limit: int
) -> tuple[list[Row], bool]:
    """Up to `limit` posts behind `after` with their evidence, and whether there are more behind those.

    A page has fewer posts where they would not fit into one message.
    """
    rows = await connection.fetch(
        _QUERY,
        tenant,
        *(span.start, span.end),
        *(narrowed.categories, narrowed.networks, narrowed.languages, narrowed.triage),
        *(after or (None, None)),
        # One more than the page, so that the last page is known to be the last.
        limit + 1,
        MAX_PAGE_BYTES,
    )
    heavy = sum(len(row["evidence"]) for row in rows) >= MAX_PAGE_BYTES
    return rows[:limit], heavy or len(rows) > limit
