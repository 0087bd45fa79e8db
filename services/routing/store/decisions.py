"""What stands of posts, as people ask for it: one, its history, and the queue of triage page by page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from ascolto.classification.v1.classification_pb2 import PostClassified
from chassis.postgres import Connection, Queries, Row
from services.routing.corrections import Standing

MAX_PAGE_BYTES: Final = 2 * 1024 * 1024
"""A page ends with the post that reaches it, so that it fits into one message."""
MAX_EARLIER: Final = 50

# Where a later revision was classified by the label already, the label says whose word that is. A promotion has a
# reason and no person; its model stands in the classification.
_SEEN: Final = """
SELECT decision.post_name, event_id, decided_at, priority_at, decision.payload,
    CASE WHEN decision.decision = 'corrected' THEN coalesce(decision.corrected_by, label.corrected_by) END
        AS corrected_by,
    CASE WHEN decision.decision = 'corrected' THEN coalesce(decision.correction_reason, label.reason)
        ELSE decision.correction_reason END AS correction_reason,
    coalesce(decision.payload, judgement.payload) AS told
FROM decision LEFT JOIN label USING (post_name)
LEFT JOIN (SELECT event_id, payload FROM judgement) AS judgement USING (event_id)"""

_ONE: Final = f"{_SEEN} WHERE decision.tenant = $1 AND decision.post_name = $2"

_PAGE: Final = f"""
SELECT * FROM (
    SELECT seen.*, coalesce(sum(octet_length(payload)) OVER (
        ORDER BY priority_at, post_name ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS bytes_before
    FROM ({_SEEN}
        WHERE decision.tenant = $1 AND decision.decision = 'abstained' AND NOT decision.deleted
            AND ($2::text[] IS NULL OR decision.language = ANY ($2))
            AND ($3::timestamptz IS NULL OR (priority_at, decision.post_name) > ($3, $4::text))
        ORDER BY priority_at, decision.post_name LIMIT $5
    ) AS seen
) AS measured WHERE bytes_before < $6 ORDER BY priority_at, post_name"""  # noqa: S608 - constants of this module

_EARLIER: Final = """
SELECT judgement.event_id, judgement.decided_at, judgement.payload AS told,
    CASE WHEN judgement.authority = 'person' THEN judgement.corrected_by END AS corrected_by,
    judgement.correction_reason
FROM judgement JOIN decision USING (post_name)
WHERE decision.tenant = $1 AND decision.post_name = $2 AND judgement.event_id <> decision.event_id
ORDER BY judgement.deleted DESC, judgement.revision DESC, judgement.authority DESC, judgement.decided_at DESC,
    judgement.event_id DESC LIMIT $3"""

_LOCKED: Final = """
SELECT tenant, payload, event_id, decided_at, heard_at FROM decision
WHERE tenant = $1 AND post_name = $2 AND NOT deleted FOR UPDATE"""


@dataclass(frozen=True, slots=True)
class Seen:
    """A decision as people see it."""

    post_name: str
    event_id: UUID
    decided_at: datetime
    message: PostClassified
    """Without the post where that is gone, and where the decision was overtaken."""
    priority_at: datetime | None = None
    """None of what was overtaken."""
    corrected_by: str | None = None
    """The person, where one said so."""
    correction_reason: str | None = None

    @property
    def etag(self) -> str:
        """Changes with every decision."""
        return self.event_id.hex


@dataclass(frozen=True, slots=True)
class Place:
    """Behind one post of the queue."""

    priority_at: datetime
    post_name: str


async def one(queries: Queries, tenant: str, post_name: str) -> Seen | None:
    """What stands of a post of the tenant."""
    row = await queries.fetchrow(_ONE, tenant, post_name)
    return _seen(row) if row else None


async def earlier(queries: Queries, tenant: str, post_name: str) -> list[Seen]:
    """What was decided about a post and stands no longer, the nearest to standing first."""
    rows = await queries.fetch(_EARLIER, tenant, post_name, MAX_EARLIER)
    return [
        Seen(
            post_name=post_name,
            event_id=row["event_id"],
            decided_at=row["decided_at"],
            message=PostClassified.FromString(row["told"]),
            corrected_by=row["corrected_by"],
            correction_reason=row["correction_reason"],
        )
        for row in rows
    ]


async def triage(
    queries: Queries, tenant: str, languages: Sequence[str], after: Place | None, limit: int
) -> tuple[list[Seen], bool]:
    """Up to `limit` posts behind `after` that wait for a person, and whether there are more behind those.

    A page has fewer posts where they would not fit into one message.
    """
    rows = await queries.fetch(
        _PAGE,
        tenant,
        list(languages) or None,
        *((after.priority_at, after.post_name) if after else (None, None)),
        # One more than the page, so that the last page is known to be the last.
        limit + 1,
        MAX_PAGE_BYTES,
    )
    heavy = sum(len(row["payload"]) for row in rows) >= MAX_PAGE_BYTES
    return [_seen(row) for row in rows[:limit]], heavy or len(rows) > limit


async def load_locked(connection: Connection, tenant: str, post_name: str) -> Standing | None:
    """What stands of a post that is not deleted; nobody else changes it until the transaction ends."""
    row = await connection.fetchrow(_LOCKED, tenant, post_name)
    if row is None:
        return None
    return Standing(
        message=PostClassified.FromString(row["payload"]),
        tenant=row["tenant"],
        event_id=row["event_id"],
        decided_at=row["decided_at"],
        heard_at=row["heard_at"],
    )


def _seen(row: Row) -> Seen:
    return Seen(
        post_name=row["post_name"],
        event_id=row["event_id"],
        decided_at=row["decided_at"],
        message=PostClassified.FromString(row["told"]),
        priority_at=row["priority_at"],
        corrected_by=row["corrected_by"],
        correction_reason=row["correction_reason"],
    )
