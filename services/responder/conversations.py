"""SQL of conversations: locks them, loads of their threads what the turn rules need, and keeps what follows.

The outcome of an accepted post, for the ledger (`event_id` is the id that ingest accepted):

    SELECT p.event_id, p.outcome, p.reason, p.reply_id, r.state, r.native_id, j.state AS job
    FROM post p
    LEFT JOIN reply r ON r.reply_id = p.reply_id
    LEFT JOIN draft_job j ON p.event_id = ANY (j.events)
    WHERE p.tenant = $1 AND p.received_at >= $2

`outcome` is drafted, not_due (with reason), triaged or superseded; `due` is under way: its draft is queued in
draft_job, or was given up there (state failed) and waits for a person.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from chassis.postgres import Connection, Queries, Row
from contracts.identity import reply_id
from services.responder.conversation import Thread
from services.responder.facts import StaleReason
from services.responder.incoming import PERSON, Incoming, Key, judge_anew, standing, verdict_row
from services.responder.reply import State
from services.responder.turn import Call, Heard, Known, KnownReply, NotDueReason, Outcome, Plan, Verdict

_OPEN_CONTEXT: Final = 20
"""How many of an author's open posts that need no answer are looked at: the newest tell a turn's last change."""

_LOCK = """
INSERT INTO conversation AS c (tenant, conversation, last_said_at)
SELECT * FROM unnest($1::text[], $2::text[], $3::timestamptz[])
ON CONFLICT (tenant, conversation) DO UPDATE SET last_said_at = greatest(c.last_said_at, excluded.last_said_at)"""

_COLUMNS = """p.tenant, p.conversation, p.event_id, p.post, p.revision, p.edited, p.deleted, p.own, p.author,
    p.native_id, p.native_parent_id, p.said_at, p.learned_at, p.call, p.text_sha256, p.authority, p.decided_at,
    p.classified_by, p.outcome, p.reason, p.reply_id, p.is_current, p.closed"""

_OPEN = "p.is_current AND NOT p.closed AND NOT p.own"

# The posts that are about to change, what they answer, what the brand said since, and the open posts of their authors.
# Each is found by an index of its own: a thread may hold far more posts than a batch has time to read.
_THREADS = f"""
WITH wanted AS (
    SELECT * FROM unnest($1::text[], $2::text[], $3::timestamptz[], $4::boolean[])
        AS w (tenant, conversation, since, everyone)
), said AS (
    SELECT p.event_id, p.tenant, p.conversation, p.native_parent_id
    FROM post p JOIN wanted w USING (tenant, conversation)
    WHERE p.own AND p.said_at >= w.since
), changing AS MATERIALIZED (
    SELECT p.event_id, p.tenant, p.conversation, p.author FROM post p WHERE p.post = ANY ($5)
), named AS (
    SELECT c.* FROM changing c JOIN wanted w USING (tenant, conversation)
    UNION ALL
    SELECT p.event_id, p.tenant, p.conversation, p.author
    FROM unnest($6::text[], $7::text[], $8::text[]) AS parent (tenant, conversation, native_id)
        JOIN post p USING (tenant, conversation, native_id)
), people AS (
    SELECT tenant, conversation, author FROM named
    UNION
    SELECT * FROM unnest($9::text[], $10::text[], $11::text[])
    UNION
    SELECT p.tenant, p.conversation, p.author FROM post p JOIN wanted w USING (tenant, conversation)
    WHERE w.everyone AND {_OPEN}
), needed AS (
    SELECT event_id FROM said
    UNION
    SELECT event_id FROM named
    UNION
    SELECT p.event_id FROM said s JOIN post p
        ON (p.tenant, p.conversation, p.native_id) = (s.tenant, s.conversation, s.native_parent_id)
    UNION
    SELECT of_one.event_id FROM people, LATERAL (
        (SELECT p.event_id FROM post p
        WHERE (p.tenant, p.conversation, p.author) = (people.tenant, people.conversation, people.author)
            AND {_OPEN} AND p.outcome IN ('due', 'drafted'))
        UNION ALL
        (SELECT p.event_id FROM post p
        WHERE (p.tenant, p.conversation, p.author) = (people.tenant, people.conversation, people.author)
            AND {_OPEN} AND p.outcome NOT IN ('due', 'drafted')
        ORDER BY p.learned_at DESC LIMIT {_OPEN_CONTEXT})
    ) AS of_one
)
SELECT {_COLUMNS} FROM needed JOIN post p USING (event_id)
ORDER BY p.learned_at, p.event_id"""  # noqa: S608 - constants of this module

_WHOLE_THREADS = f"""
SELECT {_COLUMNS} FROM post p JOIN unnest($1::text[], $2::text[]) AS w (tenant, conversation)
    USING (tenant, conversation)
ORDER BY p.learned_at, p.event_id"""  # noqa: S608 - constants of this module

# Locked, because what is decided about them must hold until it is recorded.
_REPLIES = """
SELECT r.reply_id, r.tenant, r.conversation, r.state, r.created_at, r.detail, r.native_id, r.text_sha256
FROM reply r
WHERE r.reply_id = ANY ($1)
    OR ((r.tenant, r.conversation) IN (SELECT * FROM unnest($2::text[], $3::text[]))
        AND r.state IN ('SENDING', 'UNRESOLVED', 'SENT')
        AND (r.native_id = ANY ($4) OR r.text_sha256 = ANY ($5)))
ORDER BY r.reply_id FOR UPDATE"""

_PLANS = """
SELECT j.tenant, j.conversation, j.author, j.reply_id, j.answers, j.events, j.learned_at
FROM draft_job j JOIN unnest($1::text[], $2::text[]) AS w (tenant, conversation) USING (tenant, conversation)"""

_UPDATE = """
UPDATE post p SET author = u.author, outcome = u.outcome, reason = u.reason, reply_id = u.reply_id,
    is_current = u.is_current, closed = u.closed
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::uuid[], $6::boolean[], $7::boolean[])
    AS u (event_id, author, outcome, reason, reply_id, is_current, closed)
WHERE p.event_id = u.event_id"""

_DROP_PLANS = """
DELETE FROM draft_job j USING unnest($1::text[], $2::text[], $3::text[]) AS d (tenant, conversation, author)
WHERE (j.tenant, j.conversation, j.author) = (d.tenant, d.conversation, d.author)"""

_INSERTED = (
    "event_id", "tenant", "conversation", "post", "revision", "edited", "deleted", "own", "author", "native_id",
    "native_parent_id", "said_at", "learned_at", "call", "category", "text_sha256", "message", "traceparent",
    "authority", "decided_at", "classified_by", "outcome", "reason", "reply_id", "is_current", "closed",
)  # fmt: skip
_BY_RULE: Final = "rule:"
_PLAN_COLUMNS = ("reply_id", "tenant", "conversation", "author", "answers", "events", "learned_at")


@dataclass(slots=True)
class Loaded:
    """Threads as they were loaded, so that only what changed is written."""

    threads: dict[Key, Thread]
    stored: dict[UUID, tuple[object, ...]] = field(default_factory=dict)
    plans: dict[Key, dict[str, Plan]] = field(default_factory=dict)


async def lock(connection: Connection, said: Mapping[Key, datetime]) -> None:
    """Lock the conversations until the transaction ends, making those that are new; always in the same order.

    The value is when something was last said in each.
    """
    keys = sorted(said)
    await connection.execute(_LOCK, *_columns(keys), [said[key] for key in keys])


async def load(connection: Connection, incoming: Sequence[Incoming]) -> Loaded:
    """Load of each conversation what the turn rules need to take in `incoming`."""
    by_key: dict[Key, list[Heard]] = defaultdict(list)
    for each in incoming:
        by_key[each.key].append(each.heard)
    keys = sorted(by_key)
    heard = [each.heard for each in incoming]
    rows = await connection.fetch(
        _THREADS,
        *_columns(keys),
        [min(each.said_at for each in by_key[key]) for key in keys],
        [any(each.own and each.native_parent_id is None for each in by_key[key]) for key in keys],
        sorted({each.post for each in heard}),
        *_triples((*each.key, each.heard.native_parent_id) for each in incoming if each.heard.own),
        *_triples((*each.key, each.heard.author) for each in incoming),
    )
    return await _assemble(connection, keys, rows, [each for each in heard if each.own])


async def load_whole(connection: Connection, keys: Sequence[Key]) -> Loaded:
    """Load everything that is known of the conversations, for a rebuild."""
    rows = await connection.fetch(_WHOLE_THREADS, *_columns(keys))
    return await _assemble(connection, keys, rows)


async def save(connection: Connection, loaded: Loaded, incoming: Iterable[Incoming]) -> int:
    """Keep what `receive` made of the threads; answers how many drafts are newly wanted."""
    above = standing(incoming)
    fresh = [(each, _known_of(loaded, each)) for event_id, each in above.items() if event_id not in loaded.stored]
    if fresh:
        await insert(connection, fresh)
    await judge_anew(connection, [each for event_id, each in above.items() if event_id in loaded.stored])
    known = [each for thread in loaded.threads.values() for each in thread.known.values()]
    changed = [
        each
        for each in known
        if each.heard.event_id in loaded.stored and _mutable(each) != loaded.stored[each.heard.event_id]
    ]
    if changed:
        rows = [(each.heard.event_id, *_mutable(each)) for each in changed]
        await connection.execute(_UPDATE, *zip(*rows, strict=True))
    return await _save_plans(connection, loaded)


async def outcomes(queries: Queries, event_ids: Sequence[UUID]) -> dict[UUID, Outcome]:
    """What became of accepted posts, by the event id that ingest gave them; absent: not yet seen here."""
    rows = await queries.fetch("SELECT event_id, outcome FROM post WHERE event_id = ANY ($1)", list(event_ids))
    return {row["event_id"]: Outcome(row["outcome"]) for row in rows}


async def mark_drafted(connection: Connection, drafted: Sequence[tuple[UUID, str]]) -> None:
    """Note the reply that answers each post (by name); a change that was settled before stays as it is."""
    await connection.execute(
        "UPDATE post p SET outcome = 'drafted', reply_id = d.reply_id "
        "FROM unnest($1::uuid[], $2::text[]) AS d (reply_id, post) "
        "WHERE p.post = d.post AND p.outcome IN ('due', 'drafted')",
        [reply for reply, _ in drafted],
        [post for _, post in drafted],
    )


async def _assemble(
    connection: Connection, keys: Sequence[Key], rows: Sequence[Row], incoming_own: Sequence[Heard] = ()
) -> Loaded:
    """The threads of `rows`, with the replies and plans that count for them.

    Each own post, new or known, may be an answer of ours: the reply that it was tells.
    """
    loaded = Loaded({key: Thread(key[1]) for key in keys})
    for row in rows:
        known = _known(row)
        loaded.threads[row["tenant"], row["conversation"]].add(known)
        loaded.stored[known.heard.event_id] = _mutable(known)
    ids = {row["reply_id"] for row in rows if row["reply_id"]}
    ids |= {reply_id(row["conversation"], row["event_id"]) for row in rows if row["is_current"] and not row["own"]}
    own = [*incoming_own, *(_heard(row) for row in rows if row["own"])]
    found = await _fetch_replies(connection, ids, keys, own)
    while found:
        for row in found:
            loaded.threads[row["tenant"], row["conversation"]].replies[row["reply_id"]] = _reply(row)
        # A draft that takes the place of another may be named after that: an id that is used up leads to the next.
        found = await _fetch_replies(connection, {reply_id(row["conversation"], row["reply_id"]) for row in found})
    for row in await connection.fetch(_PLANS, *_columns(keys)):
        loaded.threads[row["tenant"], row["conversation"]].plans[row["author"]] = _plan(row)
    loaded.plans = {key: dict(thread.plans) for key, thread in loaded.threads.items()}
    return loaded


async def _fetch_replies(
    connection: Connection, ids: Iterable[UUID], keys: Sequence[Key] = (), own: Sequence[Heard] = ()
) -> list[Row]:
    return await connection.fetch(
        _REPLIES,
        sorted(ids),
        *_columns(keys),
        sorted({each.native_id for each in own}),
        sorted({each.text_sha256 for each in own if each.text_sha256}),
    )


async def insert(connection: Connection, posts: Iterable[tuple[Incoming, Known]]) -> None:
    """Keep changes of posts that are not kept yet."""
    records = [(*_said(incoming, known.heard), *_decided(known)) for incoming, known in posts]
    await connection.copy_records_to_table("post", records=records, columns=_INSERTED)


def _said(incoming: Incoming, heard: Heard) -> tuple[object, ...]:
    return (
        heard.event_id, *incoming.key, heard.post, heard.revision, heard.edited, heard.deleted, heard.own, heard.author,
        heard.native_id, heard.native_parent_id, heard.said_at, heard.learned_at, heard.call.value, incoming.category,
        heard.text_sha256, incoming.message, incoming.traceparent, *verdict_row(heard.verdict),
    )  # fmt: skip


def _known_of(loaded: Loaded, incoming: Incoming) -> Known:
    return loaded.threads[incoming.key].known[incoming.heard.event_id]


def _mutable(known: Known) -> tuple[object, ...]:
    """What may change after a change of a post was taken in."""
    return known.heard.author, *_decided(known)


def _decided(known: Known) -> tuple[object, ...]:
    reason = word_of(known.reason, known.heard.rule) if known.reason else None
    return known.outcome.value, reason, known.reply, known.current, known.closed


def word_of(reason: NotDueReason, rule: str) -> str:
    """A reason as the table spells it; `rule` is what fired, where that is the reason."""
    return f"{_BY_RULE}{rule}" if reason is NotDueReason.RULE else reason.value


def _reason_of(word: str) -> NotDueReason:
    return NotDueReason.RULE if word.startswith(_BY_RULE) else NotDueReason(word)


async def _save_plans(connection: Connection, loaded: Loaded) -> int:
    gone: list[tuple[str, str, str]] = []
    wanted: list[tuple[object, ...]] = []
    for key, thread in loaded.threads.items():
        before = loaded.plans[key]
        authors = {author for author in (*before, *thread.plans) if before.get(author) != thread.plans.get(author)}
        gone += [(*key, author) for author in authors if author in before]
        wanted += [_plan_row(key, author, thread.plans[author]) for author in authors if author in thread.plans]
    if gone:
        await connection.execute(_DROP_PLANS, *zip(*gone, strict=True))
    if wanted:
        await connection.copy_records_to_table("draft_job", records=wanted, columns=_PLAN_COLUMNS)
    return len(wanted)


def _plan_row(key: Key, author: str, plan: Plan) -> tuple[object, ...]:
    return plan.reply_id, *key, author, list(plan.answers), list(plan.events), plan.learned_at


def _columns(keys: Sequence[Key]) -> tuple[list[str], list[str]]:
    return [tenant for tenant, _ in keys], [conversation for _, conversation in keys]


def _triples(named: Iterable[tuple[str, str, str | None]]) -> tuple[list[str], list[str], list[str]]:
    """Tenants, conversations and what is named in them, each once; without a name there is nothing to look for."""
    found = sorted({(tenant, conversation, name) for tenant, conversation, name in named if name})
    return [tenant for tenant, _, _ in found], [each for _, each, _ in found], [name for _, _, name in found]


def _known(row: Row) -> Known:
    return Known(
        heard=_heard(row),
        outcome=Outcome(row["outcome"]),
        reason=_reason_of(row["reason"]) if row["reason"] else None,
        reply=row["reply_id"],
        current=row["is_current"],
        closed=row["closed"],
    )


def _heard(row: Row) -> Heard:
    return Heard(
        event_id=row["event_id"],
        post=row["post"],
        revision=row["revision"],
        edited=row["edited"],
        deleted=row["deleted"],
        own=row["own"],
        author=row["author"],
        native_id=row["native_id"],
        native_parent_id=row["native_parent_id"],
        said_at=row["said_at"],
        learned_at=row["learned_at"],
        call=Call(row["call"]),
        text_sha256=row["text_sha256"],
        verdict=Verdict(row["authority"] == PERSON, row["decided_at"], row["classified_by"]),
        rule=(row["reason"] or "").partition(_BY_RULE)[2],
    )


def _reply(row: Row) -> KnownReply:
    state = State(row["state"])
    return KnownReply(
        reply_id=row["reply_id"],
        state=state,
        created_at=row["created_at"],
        stale_reason=StaleReason(row["detail"]) if state is State.STALE else None,
        native_id=row["native_id"],
        text_sha256=row["text_sha256"],
    )


def _plan(row: Row) -> Plan:
    return Plan(row["reply_id"], tuple(row["answers"]), tuple(row["events"]), row["learned_at"])
