"""One hash of the read models, over what they say and not when or in which order they were written."""

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from chassis.postgres import Connection

_TABLES: Final[Mapping[str, str]] = {
    "conversation": "SELECT tenant, conversation, last_said_at FROM conversation ORDER BY tenant, conversation",
    "post": """
        SELECT event_id, tenant, conversation, post, revision, said_at, learned_at, call, category,
            sha256(message) AS message, authority, decided_at, classified_by, outcome, reason, reply_id, is_current
        FROM post ORDER BY event_id""",
    "reply": """
        SELECT reply_id, tenant, conversation, correlation_id, answers, integration, network, kind, native_thread_id,
            native_parent_id, state, text, language, draft_version, evidence, drafter, approvals_required, approvals,
            editor, attempt, native_id, detail, created_at, updated_at, respond_by, due_at
        FROM reply ORDER BY reply_id""",
    "draft_job": """
        SELECT reply_id, tenant, conversation, author, answers, events, learned_at FROM draft_job ORDER BY reply_id""",
}


async def digest(connection: Connection) -> str:
    """The SHA-256 of the read models, in hex; equal before and after a rebuild. Reads in steps, in a transaction."""
    whole = hashlib.sha256()
    async with connection.transaction():
        for table, query in _TABLES.items():
            whole.update(table.encode())
            async for row in connection.cursor(query, prefetch=1_000):
                whole.update("\x1e".join(_canonical(value) for value in row.values()).encode())
                whole.update(b"\x1d")
    return whole.hexdigest()


def _canonical(value: Any) -> str:  # noqa: ANN401 - a value of any column
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, list):
        return "\x1f".join(_canonical(each) for each in value)
    return value.hex() if isinstance(value, bytes) else repr(value)
