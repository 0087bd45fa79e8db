"""The posts behind a count, newest first, page by page."""

from typing import Final

from chassis.postgres import Queries, Row
from services.feedback.cursors import Place
from services.feedback.filters import Filter, TimeRange

MAX_PAGE_BYTES: Final = 2 * 1024 * 1024
"""A page ends with the post that reaches it, so that it fits into one message."""

_QUERY: Final = """
SELECT event_time, post_name, evidence, answered FROM (
    SELECT event_time, post_name, evidence,
        EXISTS (SELECT FROM answer WHERE answer.post_name = page.post_name) AS answered,
        coalesce(sum(octet_length(evidence)) OVER (
            ORDER BY event_time DESC, post_name DESC ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ), 0) AS bytes_before
    FROM (
        SELECT event_time, post_name, evidence FROM post
        WHERE tenant = $1 AND evidence IS NOT NULL
            AND ($2::timestamptz IS NULL OR event_time >= $2) AND ($3::timestamptz IS NULL OR event_time < $3)
            AND ($4::text[] IS NULL OR category = ANY ($4)) AND ($5::text[] IS NULL OR network = ANY ($5))
            AND ($6::text[] IS NULL OR language = ANY ($6))
            AND ($7::boolean IS NULL OR (decision = 'abstained') = $7)
            AND ($8::timestamptz IS NULL OR (event_time, post_name) < ($8, $9::text))
        ORDER BY event_time DESC, post_name DESC LIMIT $10
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
