"""SQL of replies: the one way in which a decision about a reply becomes state, records of record, and events.

Whoever decides about a reply loads it by `load_locked` and hands the decision to `record`, in one transaction.
Locks are always taken in this order: conversations, replies, deliveries, the change sequence, the outbox.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import datetime
from uuid import UUID

from chassis.messages import Outgoing
from chassis.outbox import enqueue
from chassis.postgres import Connection, Queries, Row
from services.responder import conversations, deliveries
from services.responder.change import Change
from services.responder.facts import Drafted, Evidence, Target
from services.responder.reply import Approval, Reply, State
from services.responder.words import fingerprint

# Changes become visible in the order of their numbers: a reader that has seen n has seen all before it.
_ORDER_CHANGES = "SELECT pg_advisory_xact_lock(hashtext(current_schema() || '.reply.change'), 0)"

_SAVE = """
INSERT INTO reply AS r (reply_id, tenant, conversation, correlation_id, answers, integration, network, kind,
    native_thread_id, native_parent_id, state, text, text_sha256, language, draft_version, evidence, drafter,
    approvals_required, approvals, editor, attempt, native_id, detail, created_at, updated_at, respond_by, due_at,
    change_seq)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, $22, $23,
    $24, $25, $26, $27, nextval('reply_change'))
ON CONFLICT (reply_id) DO UPDATE SET state = excluded.state, text = excluded.text,
    text_sha256 = excluded.text_sha256, draft_version = excluded.draft_version, approvals = excluded.approvals,
    editor = excluded.editor, attempt = excluded.attempt, native_id = excluded.native_id, detail = excluded.detail,
    updated_at = excluded.updated_at, change_seq = excluded.change_seq"""

_EXPIRED = """
SELECT * FROM reply WHERE state = 'PENDING' AND updated_at < $1
ORDER BY updated_at LIMIT $2 FOR UPDATE SKIP LOCKED"""


async def load_locked(connection: Connection, reply_ids: Iterable[UUID]) -> dict[UUID, Reply]:
    """The replies, locked until the transaction ends; those that do not exist are absent."""
    rows = await connection.fetch(
        "SELECT * FROM reply WHERE reply_id = ANY ($1) ORDER BY reply_id FOR UPDATE", sorted(set(reply_ids))
    )
    return {row["reply_id"]: reply_of(row) for row in rows}


async def load_expired(connection: Connection, before: datetime, limit: int) -> list[Reply]:
    """Drafts that wait since before `before`, the longest first, locked; what somebody works on is left for later."""
    return [reply_of(row) for row in await connection.fetch(_EXPIRED, before, limit)]


async def record(connection: Connection, changes: Sequence[Change], others: Sequence[Outgoing] = ()) -> list[Reply]:
    """Keep what was decided and promise to publish it, after `others`; nothing may follow in the transaction.

    Answers the replies as they are now.
    """
    after = [change.after() for change in changes]
    drafted = [fact for change in changes for fact in change.facts if isinstance(fact, Drafted)]
    if drafted:
        answered = [(fact.reply_id, post) for fact in drafted for post in fact.answers]
        await conversations.mark_drafted(connection, answered)
    await deliveries.follow(connection, changes)
    await save(connection, after)
    await enqueue(connection, [*others, *(message for change in changes for message in change.messages())])
    return after


async def save(connection: Connection, replies: Sequence[Reply]) -> None:
    """Write the replies as they are, each under the next number of the change sequence."""
    if not replies:
        return
    await connection.execute(_ORDER_CHANGES)
    await connection.executemany(_SAVE, [_row(reply) for reply in replies])


async def visible_through(queries: Queries) -> int:
    """The number of the last change that is visible, and with it every one before."""
    return int(await queries.fetchval("SELECT coalesce(max(change_seq), 0) FROM reply"))


def reply_of(row: Row) -> Reply:
    """The reply in a row."""
    return Reply(
        reply_id=row["reply_id"],
        tenant=row["tenant"],
        conversation=row["conversation"],
        correlation_id=row["correlation_id"],
        answers=tuple(row["answers"]),
        target=Target(
            row["integration"], row["network"], row["kind"], row["native_thread_id"], row["native_parent_id"]
        ),
        state=State(row["state"]),
        text=row["text"],
        language=row["language"],
        draft_version=row["draft_version"],
        evidence=tuple(Evidence(**each) for each in json.loads(row["evidence"])),
        drafter=row["drafter"],
        approvals_required=row["approvals_required"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        approvals=tuple(Approval(**each) for each in json.loads(row["approvals"])),
        editor=row["editor"],
        attempt=row["attempt"],
        native_id=row["native_id"],
        detail=row["detail"],
        respond_by=row["respond_by"],
    )


def _row(reply: Reply) -> tuple[object, ...]:
    target = reply.target
    return (
        reply.reply_id, reply.tenant, reply.conversation, reply.correlation_id, list(reply.answers),
        target.integration, target.network, target.kind, target.native_thread_id, target.native_parent_id,
        reply.state.value, reply.text, fingerprint(reply.text), reply.language, reply.draft_version,
        json.dumps([asdict(each) for each in reply.evidence]), reply.drafter, reply.approvals_required,
        json.dumps([asdict(each) for each in reply.approvals]), reply.editor, reply.attempt, reply.native_id,
        reply.detail, reply.created_at, reply.updated_at, reply.respond_by, reply.due_at,
    )  # fmt: skip
