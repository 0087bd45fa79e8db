"""Candidates that may replace what stands, and what stands, locked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from ascolto.classification.v1.classification_pb2 import Classification, PostClassified
from chassis.postgres import Connection, Queries, Row
from services.routing.corrections import Standing
from services.routing.reclassification.candidates import ABSTAINED, LANGUAGE_MODEL
from services.routing.standing import PERSON
from services.routing.store.candidates import MAX_PAGE_BYTES

_PAGE: Final = """
SELECT post_name FROM (
    SELECT post_name, coalesce(sum(octet_length(payload)) OVER (
        ORDER BY post_name ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0) AS bytes_before
    FROM (
        SELECT post_name, decision.payload FROM reclassification_result AS result LEFT JOIN decision USING (post_name)
        WHERE run = $1 AND differs AND post_name > $2 ORDER BY post_name LIMIT $3
    ) AS next
) AS measured WHERE bytes_before < $4 ORDER BY post_name"""

_LOCKED: Final = f"""
SELECT post_name, result.payload AS candidate, result.revision AS judged_revision,
    (result.category, result.decision, result.kind) = (decision.category, decision.decision, decision.kind) AS equal,
    decision.stage = '{LANGUAGE_MODEL}' AND result.decision = '{ABSTAINED}' AS stands_by_language_model,
    decision.tenant, decision.revision, decision.deleted, decision.authority, decision.payload, decision.event_id,
    decision.decided_at, decision.heard_at
FROM reclassification_result AS result JOIN decision USING (post_name)
WHERE run = $1 AND post_name = ANY ($2) ORDER BY post_name FOR UPDATE OF decision"""  # noqa: S608 - constants

_WAITING: Final = "SELECT count(*), coalesce(min(id), 0) FROM (SELECT id FROM outbox ORDER BY id LIMIT $1) AS waiting"


@dataclass(frozen=True, slots=True)
class Claim:
    """A candidate's word on a post, and what stands of it."""

    post_name: str
    standing: Standing | None
    """None where the post is another one by now, or gone."""
    classification: Classification
    by_person: bool
    equal: bool
    stands_by_language_model: bool
    """A language model has decided by now, and the candidate abstains."""


async def next_names(queries: Queries, run: UUID, after: str, limit: int) -> list[str]:
    """Up to `limit` posts behind `after` of which the candidate says something else, by name."""
    rows = await queries.fetch(_PAGE, run, after, limit, MAX_PAGE_BYTES)
    return [row["post_name"] for row in rows]


async def claims(connection: Connection, run: UUID, post_names: Sequence[str]) -> list[Claim]:
    """What the run says of posts; nobody else decides about them until the transaction ends."""
    return [_claim(row) for row in await connection.fetch(_LOCKED, run, post_names)]


def _claim(row: Row) -> Claim:
    same = not row["deleted"] and row["revision"] == row["judged_revision"] and row["candidate"] is not None
    return Claim(
        post_name=row["post_name"],
        standing=_standing(row) if same else None,
        classification=Classification.FromString(row["candidate"] or b""),
        by_person=row["authority"] == PERSON,
        equal=row["equal"],
        stands_by_language_model=row["stands_by_language_model"],
    )


def _standing(row: Row) -> Standing:
    return Standing(
        message=PostClassified.FromString(row["payload"]),
        tenant=row["tenant"],
        event_id=row["event_id"],
        decided_at=row["decided_at"],
        heard_at=row["heard_at"],
    )


async def waiting(queries: Queries, most: int) -> tuple[int, int]:
    """How many rows of the outbox wait for the relay, counted up to `most`, and the first of them."""
    row = await queries.fetchrow(_WAITING, most)
    count, first = row.values() if row else (0, 0)
    return count, first
