"""Answers in the web chat: a row that visitors read, written in the transaction that says Sent.

Exactly once by construction: no network lies between the decision and the effect.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from chassis.postgres import Connection, Queries
from services.responder.reply import Reply


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One answer as a visitor reads it; `seq` says where to go on after it."""

    seq: int
    message: str
    text: str
    sent_at: datetime


async def write(connection: Connection, reply: Reply, now: datetime) -> str:
    """Put the text before the visitor; answers its native id, which is the reply's."""
    await connection.execute(
        "INSERT INTO chat_message (reply_id, tenant, integration, session, text, sent_at) "
        "VALUES ($1, $2, $3, $4, $5, $6)",
        reply.reply_id,
        reply.tenant,
        reply.target.integration,
        reply.target.native_thread_id,
        reply.text,
        now,
    )
    return str(reply.reply_id)


async def read_after(queries: Queries, integration: str, session: str, after: int, limit: int) -> Sequence[ChatMessage]:
    """The answers of a session after position `after`, oldest first."""
    rows = await queries.fetch(
        "SELECT seq, reply_id, text, sent_at FROM chat_message "
        "WHERE integration = $1 AND session = $2 AND seq > $3 ORDER BY seq LIMIT $4",
        integration,
        session,
        after,
        limit,
    )
    return [ChatMessage(row["seq"], str(row["reply_id"]), row["text"], row["sent_at"]) for row in rows]
