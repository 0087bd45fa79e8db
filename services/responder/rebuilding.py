"""SQL of a rebuild: empties the read models and folds them again from records; approvals and deliveries stay."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from ascolto.replies.v1.reply_event_pb2 import ReplyEvent
from chassis import inbox
from chassis.messages import Record
from chassis.outbox import read_headers
from chassis.postgres import Connection
from contracts.codec import Event
from contracts.identity import conversation_name, last_segment, tenant_of
from services.responder import conversations, replies
from services.responder.approval import evolve
from services.responder.events import fact_of, not_due_fact_id, not_due_reason
from services.responder.handlers import GROUP
from services.responder.incoming import Incoming, judge_anew, standing
from services.responder.turn import Known, Outcome, outcome_of

FOLDED: Final = "responder.rebuild"
"""The name under which a rebuild remembers the facts that it has folded."""
_CONVERSATIONS_AT_ONCE: Final = 500

_CURRENT = """
UPDATE post p SET is_current = false FROM (
    SELECT event_id, row_number() OVER (
        PARTITION BY post ORDER BY deleted DESC, revision DESC, event_id DESC) AS place FROM post) ranked
WHERE p.event_id = ranked.event_id AND ranked.place > 1"""

# A deletion does not say whose post it was; the other changes of the post do.
_AUTHORS = """
UPDATE post p SET author = told.author FROM post told
WHERE p.deleted AND NOT p.own AND p.author = '' AND told.post = p.post AND NOT told.deleted AND NOT told.own"""

_OUTCOMES = """
UPDATE post p SET outcome = o.outcome, reason = o.reason, reply_id = o.reply_id
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::uuid[]) AS o (event_id, outcome, reason, reply_id)
WHERE p.event_id = o.event_id"""


async def empty(connection: Connection) -> None:
    """Drop what the read models hold."""
    await connection.execute("TRUNCATE conversation, post, reply, draft_job")
    await connection.execute("DELETE FROM inbox WHERE consumer = $1", FOLDED)


async def handled(connection: Connection, event_ids: Sequence[UUID]) -> set[UUID]:
    """Which of the events the service has taken in."""
    rows = await connection.fetch(
        "SELECT event_id FROM inbox WHERE consumer = $1 AND event_id = ANY ($2)", GROUP, list(event_ids)
    )
    return {row["event_id"] for row in rows}


async def fold_posts(connection: Connection, incoming: Sequence[Incoming]) -> None:
    """Take in what was said; what became of it, the facts will tell."""
    if not incoming:
        return
    said = {each.key: each.heard.said_at for each in sorted(incoming, key=lambda each: each.heard.said_at)}
    await conversations.lock(connection, said)
    above = standing(incoming)
    rows = await connection.fetch("SELECT event_id FROM post WHERE event_id = ANY ($1)", list(above))
    kept = {row["event_id"] for row in rows}
    fresh = [each for event_id, each in above.items() if event_id not in kept]
    await conversations.insert(connection, [(each, Known(each.heard, Outcome.DUE)) for each in fresh])
    await judge_anew(connection, [each for event_id, each in above.items() if event_id in kept])


async def rank_changes(connection: Connection) -> None:
    """Tell the last change of each post from those before it, when all posts are in."""
    await connection.execute(_AUTHORS)
    await connection.execute(_CURRENT)


async def fold_facts(connection: Connection, batch: Sequence[Event[ReplyEvent]]) -> int:
    """Fold facts in their order, each once; answers how many were new.

    Facts of conversations that this service has not taken in are another's and stay out.
    """
    ours = await _known_conversations(connection, batch)
    by_id = {event.metadata.event_id: event for event in batch if event.message.conversation in ours}
    fresh = await inbox.claim(connection, FOLDED, by_id)
    told = [event for event_id, event in by_id.items() if event_id in fresh]
    await _fold_outcomes(connection, told)
    about = [event for event in told if event.message.WhichOneof("fact") != "not_due"]
    ids = {event.metadata.event_id: UUID(last_segment(event.message.reply)) for event in about}
    known = dict(await replies.load_locked(connection, ids.values()))
    for event in about:
        reply_id = ids[event.metadata.event_id]
        known[reply_id] = evolve(known.get(reply_id), fact_of(event))
    await replies.save(connection, list(known.values()))
    return len(told)


async def plan_missing(connection: Connection) -> int:
    """Plan the drafts that are wanted and not there; answers how many."""
    planned, after = 0, ("", "")
    while True:
        rows = await connection.fetch(
            "SELECT tenant, conversation FROM conversation WHERE (tenant, conversation) > ($1, $2) "
            "ORDER BY tenant, conversation LIMIT $3",
            *after,
            _CONVERSATIONS_AT_ONCE,
        )
        if not rows:
            return planned
        keys = [(row["tenant"], row["conversation"]) for row in rows]
        after = keys[-1]
        loaded = await conversations.load_whole(connection, keys)
        for thread in loaded.threads.values():
            thread.plan_missing()
        planned += await conversations.save(connection, loaded, ())


async def waiting_facts(connection: Connection) -> list[Record]:
    """Facts that are promised and not yet published: they follow those in the topic."""
    rows = await connection.fetch("SELECT * FROM outbox ORDER BY id")
    return [
        Record(
            topic=row["topic"],
            partition=0,
            offset=row["id"],
            timestamp_ms=0,
            key=row["key"],
            value=row["value"],
            headers=read_headers(row["headers"]),
        )
        for row in rows
    ]


async def _known_conversations(connection: Connection, batch: Sequence[Event[ReplyEvent]]) -> set[str]:
    names = {event.message.conversation for event in batch}
    rows = await connection.fetch(
        "SELECT tenant, conversation FROM conversation "
        "WHERE (tenant, conversation) IN (SELECT * FROM unnest($1::text[], $2::text[]))",
        [tenant_of(name) for name in names],
        [last_segment(name) for name in names],
    )
    return {conversation_name(row["tenant"], row["conversation"]) for row in rows}


async def _fold_outcomes(connection: Connection, told: Sequence[Event[ReplyEvent]]) -> None:
    """What became of posts: a fact that a change is not due settles it; a draft answers what is not settled.

    What followed from a classification that was corrected since counts for nothing.
    """
    names = sorted({name for event in told for name in event.message.answers})
    rows = await connection.fetch(
        "SELECT event_id, post, classified_by, outcome, reason, reply_id FROM post WHERE post = ANY ($1)", names
    )
    found = {row["event_id"]: [row["outcome"], row["reason"], row["reply_id"]] for row in rows}
    by_post: dict[str, list[UUID]] = {}
    by_not_due = {not_due_fact_id(row["classified_by"]): row["event_id"] for row in rows}
    for row in rows:
        by_post.setdefault(row["post"], []).append(row["event_id"])
    for event in told:
        reply_id, fact_id = UUID(last_segment(event.message.reply)), event.metadata.event_id
        match event.message.WhichOneof("fact"):
            case "not_due" if fact_id in by_not_due:
                reason = not_due_reason(event.message)
                word = conversations.word_of(reason, event.message.not_due.rule)
                found[by_not_due[fact_id]][:2] = [outcome_of(reason).value, word]
            case "drafted":
                for event_id in (each for name in event.message.answers for each in by_post.get(name, ())):
                    if found[event_id][0] in {Outcome.DUE.value, Outcome.DRAFTED.value}:
                        found[event_id] = [Outcome.DRAFTED.value, None, reply_id]
    if found:
        settled = [(event_id, *values) for event_id, values in found.items()]
        await connection.execute(_OUTCOMES, *zip(*settled, strict=True))
