"""SQL of draft jobs: claimed with a lease, worked outside any transaction, settled under the conversation's lock."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID, uuid4

from ascolto.classification.v1.classification_pb2 import PostClassified
from chassis.postgres import Connection, Pool, Queries, Row, transaction

_CLAIM = """
UPDATE draft_job j SET claim = $1, attempts = attempts + 1, available_at = $3
WHERE reply_id IN (
    SELECT reply_id FROM draft_job WHERE state = 'queued' AND available_at <= $2
    ORDER BY available_at, learned_at LIMIT $4 FOR UPDATE SKIP LOCKED)
RETURNING reply_id, tenant, conversation, author, answers, events, learned_at, attempts"""

_STILL_CLAIMED = """
SELECT reply_id FROM draft_job WHERE reply_id = ANY ($1) AND claim = $2 ORDER BY reply_id FOR UPDATE"""

_BACK_OFF = """
UPDATE draft_job SET claim = NULL, available_at = $3, error_class = $4,
    state = CASE WHEN $5 THEN 'failed' ELSE state END
WHERE reply_id = $1 AND claim = $2"""

_RETRY = """
UPDATE draft_job SET state = 'queued', attempts = 0, available_at = '-infinity', error_class = NULL
WHERE tenant = $1 AND state = 'failed' RETURNING reply_id"""


@dataclass(frozen=True, slots=True)
class Job:
    """A draft that is wanted, claimed by one worker."""

    reply_id: UUID
    tenant: str
    conversation: str
    answers: tuple[str, ...]
    events: tuple[UUID, ...]
    learned_at: datetime
    attempts: int
    """This one included."""
    claim: UUID


async def claim(pool: Pool, now: datetime, lease_until: datetime, limit: int) -> list[Job]:
    """Take up to `limit` jobs that nobody works on; after `lease_until` another may take them again."""
    token = uuid4()
    async with transaction(pool) as connection:
        rows = await connection.fetch(_CLAIM, token, now, lease_until, limit)
    return [_job(row, token) for row in rows]


@dataclass(frozen=True, slots=True)
class Said:
    """A change of a post that a job answers."""

    message: PostClassified
    traceparent: str | None


async def load_turns(queries: Queries, jobs: Sequence[Job]) -> dict[UUID, Said]:
    """The changes of posts that the jobs answer, by event id."""
    wanted = [event_id for job in jobs for event_id in job.events]
    rows = await queries.fetch("SELECT event_id, message, traceparent FROM post WHERE event_id = ANY ($1)", wanted)
    return {row["event_id"]: Said(PostClassified.FromString(row["message"]), row["traceparent"]) for row in rows}


async def lock_conversations(connection: Connection, jobs: Sequence[Job]) -> None:
    """Lock the conversations of the jobs, in the same order as everybody."""
    keys = sorted({(job.tenant, job.conversation) for job in jobs})
    await connection.execute(
        "SELECT 1 FROM conversation WHERE (tenant, conversation) IN (SELECT * FROM unnest($1::text[], $2::text[])) "
        "ORDER BY tenant, conversation FOR UPDATE",
        [tenant for tenant, _ in keys],
        [conversation for _, conversation in keys],
    )


async def still_claimed(connection: Connection, jobs: Sequence[Job]) -> set[UUID]:
    """The reply ids of the jobs that are still wanted and still this worker's, locked."""
    if not jobs:
        return set()
    rows = await connection.fetch(_STILL_CLAIMED, [job.reply_id for job in jobs], jobs[0].claim)
    return {row["reply_id"] for row in rows}


async def finish(connection: Connection, reply_ids: Sequence[UUID]) -> None:
    """The drafts exist: the jobs are done."""
    await connection.execute("DELETE FROM draft_job WHERE reply_id = ANY ($1)", list(reply_ids))


async def back_off(queries: Queries, job: Job, until: datetime, error_class: str, *, give_up: bool) -> None:
    """Work on the job failed: try again after `until`, or give it up where a person can see it."""
    await queries.execute(_BACK_OFF, job.reply_id, job.claim, until, error_class, give_up)


async def retry_given_up(queries: Queries, tenant: str) -> int:
    """Want every draft of a tenant once more that was given up; answers how many."""
    return len(await queries.fetch(_RETRY, tenant))


async def count_waiting(queries: Queries) -> dict[str, int]:
    """How many replies wait in each state, and how many drafts are wanted."""
    rows = await queries.fetch(
        "SELECT state, count(*) AS n FROM reply WHERE state IN ('PENDING', 'APPROVED', 'SENDING', 'UNRESOLVED') "
        "GROUP BY state UNION ALL SELECT CASE state WHEN 'queued' THEN 'WANTED' ELSE 'GIVEN_UP' END, count(*) "
        "FROM draft_job GROUP BY state"
    )
    return {row["state"]: row["n"] for row in rows}


def _job(row: Row, token: UUID) -> Job:
    return Job(
        reply_id=row["reply_id"],
        tenant=row["tenant"],
        conversation=row["conversation"],
        answers=tuple(row["answers"]),
        events=tuple(row["events"]),
        learned_at=row["learned_at"],
        attempts=row["attempts"],
        claim=token,
    )
