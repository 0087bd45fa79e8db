"""The insight log as it is read: where it ends, and pages of it."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from chassis.postgres import Queries, Row
from services.feedback.filters import Filter
from services.feedback.projection import Insight

MAX_PAGE_BYTES: Final = 2 * 1024 * 1024
"""A page ends with the insight that reaches it, so that it fits into one message."""

_STATE: Final = """
SELECT epoch, complete_through, coalesce((SELECT max(seq) FROM insight), 0) AS head FROM insight_log"""

# What a person said comes from `post`, and only while the change that this insight tells of stands.
_PAGE: Final = """
SELECT * FROM (
    SELECT page.*, post.evidence,
        coalesce(sum(octet_length(payload) + coalesce(octet_length(evidence), 0)) OVER (
            ORDER BY seq ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS bytes_before
    FROM (
        SELECT seq, tenant, event_id, event_time, post_name, network, category, was_category, language,
            was_language, triage, was_triage, payload
        FROM insight
        WHERE ($1::text IS NULL OR tenant = $1) AND seq > $2 AND seq <= $3
            AND ($4::text[] IS NULL OR network IS NULL OR network = ANY ($4))
            AND ($5::text[] IS NULL OR category IS NULL OR category = ANY ($5) OR was_category = ANY ($5))
            AND ($6::text[] IS NULL OR language IS NULL OR language = ANY ($6) OR was_language = ANY ($6))
            AND ($7::boolean IS NULL OR triage IS NULL OR triage = $7 OR was_triage = $7)
        ORDER BY seq LIMIT $8
    ) AS page
    LEFT JOIN post ON post.post_name = page.post_name AND post.event_id = page.event_id
) AS measured WHERE bytes_before < $9 ORDER BY seq"""


@dataclass(frozen=True, slots=True)
class LogState:
    """The log at one moment."""

    epoch: int
    head: int
    """The highest `seq`; 0 where there is none."""
    complete_through: datetime | None


@dataclass(slots=True)
class Entry:
    """One insight of the log, and the evidence behind it while it stands."""

    seq: int
    insight: Insight
    evidence: bytes | None

    @property
    def size_bytes(self) -> int:
        """What it weighs in a message."""
        return len(self.insight.payload) + len(self.evidence or b"")


async def log_state(connection: Queries) -> LogState:
    """Epoch, end and completeness, as of one moment."""
    row = await connection.fetchrow(_STATE)
    if row is None:
        raise LookupError("insight_log has lost its only row: rebuild the read models")
    return LogState(row["epoch"], row["head"], row["complete_through"])


async def read_log(  # noqa: PLR0913 - the parts of the question
    connection: Queries, tenant: str | None, narrowed: Filter, after: int, upto: int, *, limit: int
) -> list[Entry]:
    """Up to `limit` entries with after < seq <= upto, of one tenant or of all; fewer where they weigh too much."""
    rows = await connection.fetch(
        _PAGE,
        tenant,
        *(after, upto),
        *(narrowed.networks, narrowed.categories, narrowed.languages, narrowed.triage),
        *(limit, MAX_PAGE_BYTES),
    )
    return list(_entries(rows))


def _entries(rows: Iterable[Row]) -> Iterable[Entry]:
    for row in rows:
        seq, *insight, evidence, _ = row.values()
        yield Entry(seq, Insight(*insight), evidence)
