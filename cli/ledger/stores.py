"""What the databases of the services say about the events of a range; reads only."""

from dataclasses import dataclass
from datetime import datetime

import asyncpg

from cli.ledger.balance import EventId

ACCEPTED = """
select event_id::text from ingest.post
where accepted_at >= $1 and accepted_at < $2 and ($3::text is null or tenant = $3)
"""

# The codec's header of the event id.
QUEUED = "select headers->>'ce_id' from ingest.outbox"

HANDLED = "select event_id::text from {schema}.inbox"

DRAFTED = "select event_id::text from responder.post where outcome = 'drafted'"

SENT = """
select post.event_id::text from responder.post
join responder.delivery using (reply_id)
where delivery.state = 'sent'
"""

# Waiting for its draft, or released and on its way; a delivery without next_at waits for a person.
UNDECIDED = """
select event_id::text from responder.post where outcome = 'due'
union
select post.event_id::text from responder.post
join responder.delivery using (reply_id)
where delivery.state in ('ready', 'sending') or delivery.state = 'unknown' and delivery.next_at is not null
"""

SENT_TWICE = """
select count(*) from (
  select reply_id from responder.delivery where state = 'sent' group by reply_id having count(*) > 1
) as repeated
"""

# More answers to one post than it has versions, all alive: somebody would read two. (A post that was edited after it
# was answered may be answered again.)
ANSWERED_TWICE = """
select count(*) from (
  select answered, count(*) as replies,
         (select count(*) from responder.post where post = answered and not deleted) as versions
  from responder.reply, unnest(answers) as answered
  where state in ('PENDING', 'APPROVED', 'SENDING', 'SENT', 'UNRESOLVED')
  group by answered
) as alive where replies > versions
"""

# Cells whose count is not the number of posts that stand in them, whichever is higher.
MISCOUNTED = """
select coalesce(sum(abs(coalesce(counted.post_count, 0) - coalesce(held.post_count, 0))), 0)::bigint
from feedback.volume as counted
full join (
  select tenant, date_trunc('hour', event_time, 'UTC') as hour, category, network, language,
         decision = 'abstained' as triage, count(*) as post_count
  from feedback.post where evidence is not null
  group by 1, 2, 3, 4, 5, 6
) as held using (tenant, hour, category, network, language, triage)
"""


@dataclass(frozen=True)
class Accepted:
    """What ingest holds: read first, because what it says can only grow into what the others say."""

    events: frozenset[EventId]
    queued: frozenset[EventId]


@dataclass(frozen=True)
class Effects:
    """What the consumers have made of it: read last."""

    projected: frozenset[EventId]
    responded: frozenset[EventId]
    drafted: frozenset[EventId]
    sent: frozenset[EventId]
    undecided: frozenset[EventId]
    doubled: dict[str, int]


async def read_accepted(connection: asyncpg.Connection, start: datetime, end: datetime, tenant: str | None) -> Accepted:
    """The events accepted from `start` (inclusive) to `end` (exclusive), of one tenant or of all."""
    return Accepted(await _ids(connection, ACCEPTED, start, end, tenant), await _ids(connection, QUEUED))


async def read_effects(connection: asyncpg.Connection) -> Effects:
    """The effects of all events."""
    return Effects(
        projected=await _ids(connection, HANDLED.format(schema="feedback")),
        responded=await _ids(connection, HANDLED.format(schema="responder")),
        drafted=await _ids(connection, DRAFTED),
        sent=await _ids(connection, SENT),
        undecided=await _ids(connection, UNDECIDED),
        doubled={
            "replies_sent_twice": await connection.fetchval(SENT_TWICE),
            "posts_answered_twice": await connection.fetchval(ANSWERED_TWICE),
            "posts_miscounted": await connection.fetchval(MISCOUNTED),
        },
    )


async def _ids(connection: asyncpg.Connection, query: str, *arguments: object) -> frozenset[EventId]:
    return frozenset(row[0] for row in await connection.fetch(query, *arguments))
