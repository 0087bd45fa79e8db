"""SQL of what people see: the queue page by page, one reply with its conversation, and what changed since."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from ascolto.classification.v1.classification_pb2 import PostClassified
from chassis.postgres import Queries, Row
from services.responder.replies import reply_of
from services.responder.reply import Reply, State

CONVERSATION_POSTS: Final = 50

# With the category of the newest post that is answered.
_SEEN = """
SELECT r.*, coalesce((
    SELECT p.category FROM post p WHERE p.post = ANY (r.answers) AND NOT p.deleted
    ORDER BY p.said_at DESC, p.revision DESC LIMIT 1), 0) AS category
FROM reply r"""

_PAGE = f"""{_SEEN}
WHERE r.tenant = $1 AND r.state = ANY ($2) AND (r.due_at, r.reply_id) > ($3, $4)
ORDER BY r.due_at, r.reply_id LIMIT $5"""

_ONE = f"{_SEEN} WHERE r.tenant = $1 AND r.reply_id = $2"

_CHANGES = f"""{_SEEN}
WHERE r.tenant = $1 AND r.state = ANY ($2) AND r.change_seq > $3 AND r.change_seq <= $4
ORDER BY r.change_seq LIMIT $5"""

_CONVERSATION = """
SELECT message FROM post WHERE tenant = $1 AND conversation = $2 AND is_current AND NOT deleted
ORDER BY said_at DESC, event_id DESC LIMIT $3"""


@dataclass(frozen=True, slots=True)
class Seen:
    """A reply as people see it."""

    reply: Reply
    category: int
    change_seq: int


@dataclass(frozen=True, slots=True)
class Position:
    """After which reply a page begins."""

    due_at: datetime
    reply_id: UUID


async def page(queries: Queries, tenant: str, states: Sequence[State], after: Position, limit: int) -> list[Seen]:
    """Replies in any of `states` after a position, the nearest deadline first."""
    wanted = [state.value for state in states]
    rows = await queries.fetch(_PAGE, tenant, wanted, after.due_at, after.reply_id, limit)
    return [_seen(row) for row in rows]


async def one(queries: Queries, tenant: str, reply_id: UUID) -> Seen | None:
    """A reply of the tenant."""
    row = await queries.fetchrow(_ONE, tenant, reply_id)
    return _seen(row) if row else None


async def conversation_of(queries: Queries, reply: Reply) -> list[PostClassified]:
    """The last posts of the reply's conversation, oldest first."""
    rows = await queries.fetch(_CONVERSATION, reply.tenant, reply.conversation, CONVERSATION_POSTS)
    return [PostClassified.FromString(row["message"]) for row in reversed(rows)]


async def changes(
    queries: Queries, tenant: str, states: Sequence[State], span: tuple[int, int], limit: int
) -> list[Seen]:
    """Replies in any of `states` whose last change has a number after the first of `span`, up to the second."""
    rows = await queries.fetch(_CHANGES, tenant, [state.value for state in states], *span, limit)
    return [_seen(row) for row in rows]


def _seen(row: Row) -> Seen:
    return Seen(reply_of(row), row["category"], row["change_seq"])
