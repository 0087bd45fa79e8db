"""SQL of changes on their way in: of each the greatest verdict, whether it comes with the change or after it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from chassis.postgres import Connection
from services.responder.turn import Heard, Verdict

Key = tuple[str, str]
"""Tenant and conversation id."""

MODEL: Final = "model"
PERSON: Final = "person"
"""Who decides, as the table spells it; the words sort as they rank."""

_FIRST_HEARD = """
UPDATE post p SET said_at = least(p.said_at, u.said_at), learned_at = least(p.learned_at, u.learned_at)
FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[]) AS u (event_id, said_at, learned_at)
WHERE p.event_id = u.event_id"""

_JUDGE_ANEW = """
UPDATE post p SET call = u.call, category = u.category, message = u.message, authority = u.authority,
    decided_at = u.decided_at, classified_by = u.classified_by
FROM unnest($1::uuid[], $2::text[], $3::smallint[], $4::bytea[], $5::text[], $6::timestamptz[], $7::uuid[])
    AS u (event_id, call, category, message, authority, decided_at, classified_by)
WHERE p.event_id = u.event_id
    AND (p.authority, p.decided_at, p.classified_by) < (u.authority, u.decided_at, u.classified_by)"""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A change of a post on its way into its conversation, with the bytes that are kept of it."""

    key: Key
    heard: Heard
    category: int
    message: bytes
    traceparent: str | None = None


def standing(incoming: Iterable[Incoming]) -> dict[UUID, Incoming]:
    """Of each change what its greatest verdict among `incoming` says, by the change's event id."""
    found: dict[UUID, Incoming] = {}
    for each in incoming:
        before = found.get(each.heard.event_id)
        found[each.heard.event_id] = _merged(before, each) if before else each
    return found


async def judge_anew(connection: Connection, incoming: Sequence[Incoming]) -> None:
    """Let what `incoming` says replace what is kept where it stands above that; one of each change."""
    if not incoming:
        return
    times = [(each.heard.event_id, each.heard.said_at, each.heard.learned_at) for each in incoming]
    await connection.execute(_FIRST_HEARD, *zip(*times, strict=True))
    judged = [
        (each.heard.event_id, each.heard.call.value, each.category, each.message, *verdict_row(each.heard.verdict))
        for each in incoming
    ]
    await connection.execute(_JUDGE_ANEW, *zip(*judged, strict=True))


def verdict_row(verdict: Verdict) -> tuple[str, datetime, UUID]:
    """The columns authority, decided_at and classified_by."""
    return PERSON if verdict.by_person else MODEL, verdict.decided_at, verdict.event_id


def _merged(one: Incoming, other: Incoming) -> Incoming:
    above = max(one, other, key=lambda each: each.heard.verdict)
    return replace(above, heard=one.heard.judged(other.heard))
