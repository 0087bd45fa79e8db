"""SQL of approvals and deliveries, the systems of record: what may be sent, what is being sent, what was.

A sender is told an approval id and nothing else. Rows here are never dropped by a rebuild.
"""

from collections.abc import Awaitable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from chassis.postgres import Connection, Queries
from services.responder import facts
from services.responder.change import Change
from services.responder.reply import Approval, Reply

_RELEASE = """
INSERT INTO delivery (approval_id, reply_id, integration, attempt, next_at, state)
VALUES ($1, $2, $3, $4, $5, 'ready')
ON CONFLICT DO NOTHING"""

_STATES = {
    facts.Sending: "sending",
    facts.Sent: "sent",
    facts.Failed: "failed",
    facts.Unresolved: "unknown",
    facts.Edited: "cancelled",
    facts.Stale: "cancelled",
    facts.Rejected: "cancelled",
}

# Of the releases of a reply only the last is alive: an edit cancels the one before it.
_MOVE = """
UPDATE delivery SET state = $2, attempt = coalesce($3, attempt), native_id = coalesce($4, native_id), code = $5,
    updated_at = now()
WHERE reply_id = $1 AND state NOT IN ('cancelled', 'sent')"""

# Asked under the reply's lock, which whoever takes in a change of its turn holds while that change is written. An own
# post counts unless it is another answer of ours that comes back; this very text says that it has arrived.
_OVERTAKEN = """
WITH answered AS (
    SELECT r.reply_id, r.tenant, r.conversation, r.answers, d.attempted_at, (
        SELECT array_agg(a.author) FROM post a WHERE a.post = ANY (r.answers) AND NOT a.own AND a.author <> ''
    ) AS authors
    FROM delivery d JOIN reply r USING (reply_id) WHERE d.approval_id = $1
)
SELECT EXISTS (
    SELECT FROM answered r JOIN post p USING (tenant, conversation)
    WHERE p.received_at > r.attempted_at AND (
        p.post = ANY (r.answers)
        OR (NOT p.own AND p.author = ANY (r.authors))
        OR (p.own AND NOT p.deleted
            AND (p.native_parent_id IS NULL OR EXISTS (
                SELECT FROM post a WHERE (a.tenant, a.conversation) = (r.tenant, r.conversation)
                    AND a.native_id = p.native_parent_id AND a.author = ANY (r.authors)))
            AND NOT EXISTS (
                SELECT FROM reply e WHERE (e.tenant, e.conversation) = (r.tenant, r.conversation)
                    AND e.reply_id <> r.reply_id AND e.state IN ('SENDING', 'UNRESOLVED', 'SENT')
                    AND (e.native_id = p.native_id OR (p.text_sha256 <> '' AND e.text_sha256 = p.text_sha256))))))"""


@dataclass(frozen=True, slots=True)
class Due:
    """A delivery for which something is to be done now."""

    approval_id: UUID
    reply_id: UUID
    integration: str
    attempt: int
    lookups: int


@dataclass(frozen=True, slots=True)
class UnderWay:
    """What a process works on."""

    approvals: list[UUID]
    full: list[str]
    """The integrations that have their share of its places."""


class Finder(Protocol):
    """Finds the deliveries for which something is due, but for what is under way; no more than `limit`."""

    def __call__(self, queries: Queries, now: datetime, besides: UnderWay, limit: int) -> Awaitable[list[Due]]:
        """The longest waiting first."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A delivery as it stands, locked."""

    approval_id: UUID
    reply_id: UUID
    state: str
    attempt: int
    failures: int
    lookups: int
    next_at: datetime | None
    lease_until: datetime | None

    def stands_as(self, due: Due) -> bool:
        """Whether nothing was tried since `due` was found; what was learnt before that says nothing any more."""
        return (self.attempt, self.lookups) == (due.attempt, due.lookups)


async def follow(connection: Connection, changes: Sequence[Change]) -> None:
    """Write into the systems of record what the facts of the changes mean for them."""
    for change in changes:
        after = change.after()
        for event_id, fact in change.identified():
            if isinstance(fact, facts.Approved):
                await _approve(connection, after, fact, event_id)
            elif type(fact) in _STATES:
                await _move(connection, after, fact)


async def due_to_send(queries: Queries, now: datetime, besides: UnderWay, limit: int) -> list[Due]:
    """Released, or known to have failed and to be tried again; the longest waiting first."""
    return await _due(queries, "state IN ('ready', 'failed')", "next_at", (now, besides, limit))


async def due_to_look_up(queries: Queries, now: datetime, besides: UnderWay, limit: int) -> list[Due]:
    """Of unknown fate, and to be looked up now."""
    return await _due(queries, "state = 'unknown'", "next_at", (now, besides, limit))


async def expired_leases(queries: Queries, now: datetime, besides: UnderWay, limit: int) -> list[Due]:
    """Being sent by somebody who has not said in time what became of it."""
    return await _due(queries, "state = 'sending'", "lease_until", (now, besides, limit))


async def lock(connection: Connection, approval_id: UUID) -> Delivery | None:
    """The delivery, locked; take its reply's lock first."""
    row = await connection.fetchrow(
        "SELECT approval_id, reply_id, state, attempt, failures, lookups, next_at, lease_until FROM delivery "
        "WHERE approval_id = $1 FOR UPDATE",
        approval_id,
    )
    return Delivery(**dict(row)) if row else None


async def claim_lookup(queries: Queries, due: Due, now: datetime, until: datetime) -> bool:
    """Take a lookup that is due: until then nobody else makes it. False where somebody else was first."""
    claimed = await queries.fetchval(
        "UPDATE delivery SET next_at = $2 WHERE approval_id = $1 AND state = 'unknown' "
        "AND (attempt, lookups) = ($3, $4) AND next_at <= $5 RETURNING true",
        due.approval_id,
        until,
        due.attempt,
        due.lookups,
        now,
    )
    return claimed is True


async def approvals_of(connection: Connection, approval_id: UUID) -> tuple[Approval, ...]:
    """The approvals on record of the version that `approval_id` belongs to."""
    rows = await connection.fetch(
        "SELECT a.approver, a.draft_version, a.content_sha256 FROM approval a JOIN approval this "
        "ON (a.reply_id, a.draft_version) = (this.reply_id, this.draft_version) WHERE this.approval_id = $1",
        approval_id,
    )
    return tuple(Approval(row["approver"], row["draft_version"], row["content_sha256"]) for row in rows)


async def lease(connection: Connection, approval_id: UUID, until: datetime) -> None:
    """An attempt begins; until then nobody else may touch the delivery."""
    await connection.execute(
        "UPDATE delivery SET lease_until = $2, attempted_at = clock_timestamp() WHERE approval_id = $1",
        approval_id,
        until,
    )


async def overtaken(connection: Connection, approval_id: UUID) -> bool:
    """Whether the conversation moved on since the last attempt began, so that the text may fit no more."""
    return await connection.fetchval(_OVERTAKEN, approval_id) is True


async def retry_at(connection: Connection, approval_id: UUID, at: datetime | None) -> None:
    """It failed for sure: try again then, or never (None)."""
    await connection.execute(
        "UPDATE delivery SET next_at = $2, failures = failures + 1 WHERE approval_id = $1", approval_id, at
    )


async def look_up_at(connection: Connection, approval_id: UUID, at: datetime | None) -> None:
    """Its fate is unknown: look it up then, or leave it to a person (None)."""
    await connection.execute(
        "UPDATE delivery SET next_at = $2, lookups = lookups + 1 WHERE approval_id = $1", approval_id, at
    )


async def leave(connection: Connection, approval_id: UUID) -> None:
    """Nothing is to be done about it any more unless a person decides."""
    await connection.execute(
        "UPDATE delivery SET next_at = NULL, lease_until = NULL WHERE approval_id = $1", approval_id
    )


async def current_release(connection: Connection, reply_id: UUID) -> UUID | None:
    """The approval id of the reply's release that is alive."""
    found: UUID | None = await connection.fetchval(
        "SELECT approval_id FROM delivery WHERE reply_id = $1 AND state NOT IN ('cancelled', 'sent')", reply_id
    )
    return found


async def _approve(connection: Connection, reply: Reply, fact: facts.Approved, event_id: UUID) -> None:
    await connection.execute(
        "INSERT INTO approval (approval_id, reply_id, draft_version, approver, content_sha256, approved_at) "
        "VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING",
        event_id,
        reply.reply_id,
        fact.draft_version,
        fact.approver,
        fact.content_sha256,
        fact.at,
    )
    if fact.approvals_missing == 0:
        await connection.execute(_RELEASE, event_id, reply.reply_id, reply.target.integration, reply.attempt, fact.at)


async def _move(connection: Connection, reply: Reply, fact: facts.Fact) -> None:
    code = getattr(fact, "code", None)
    attempt = getattr(fact, "attempt", None)
    native_id = getattr(fact, "native_id", None)
    await connection.execute(_MOVE, reply.reply_id, _STATES[type(fact)], attempt, native_id, code)


async def _due(queries: Queries, condition: str, at: str, bounds: tuple[datetime, UnderWay, int]) -> list[Due]:
    now, besides, limit = bounds
    rows = await queries.fetch(
        f"SELECT approval_id, reply_id, integration, attempt, lookups FROM delivery WHERE {condition} AND {at} <= $1 "  # noqa: S608 - constants
        f"AND approval_id <> ALL ($2) AND integration <> ALL ($3) ORDER BY {at} LIMIT $4",
        now,
        besides.approvals,
        besides.full,
        limit,
    )
    return [Due(**dict(row)) for row in rows]
