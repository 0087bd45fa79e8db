"""All SQL of ingest: keeps accepted posts, once each, together with the promise to publish them.

The table holds ids and times only. The log is the truth of what was said; a second copy of people's words
here would be one more place to protect, to rebuild and to erase.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from google.protobuf.message import Message

from chassis.messages import Outgoing
from chassis.outbox import ENQUEUE_ROWS, columns_of
from chassis.postgres import Pool, closed_means_unavailable
from contracts.codec import Event, encode
from contracts.topics import POSTS
from services.ingest.normalizer import Accepted
from services.ingest.rawpost import Change

_KEEP = f"""
WITH said AS MATERIALIZED (
    SELECT * FROM unnest(
        $1::uuid[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::int[],
        $9::timestamptz[], $10::smallint[], $11::text[], $12::bytea[], $13::bytea[], $14::json[]
    ) WITH ORDINALITY AS said (
        event_id, post_id, tenant, integration, conversation, network, change, revision,
        event_time, shard, topic, key, value, headers, position)
), kept AS (
    INSERT INTO post (event_id, post_id, tenant, integration, conversation, network, change, revision, event_time)
    SELECT event_id, post_id, tenant, integration, conversation, network, change, revision, event_time
    FROM said ORDER BY event_id
    ON CONFLICT (event_id) DO NOTHING
    RETURNING event_id
), outbox_row AS MATERIALIZED (
    SELECT said.* FROM said JOIN kept USING (event_id)
), promised AS ({ENQUEUE_ROWS})
SELECT event_id FROM kept"""  # noqa: S608 - constants of two modules

_CONVERSATIONS = """
SELECT DISTINCT ON (post_id) post_id, conversation FROM post WHERE post_id = ANY ($1) ORDER BY post_id, accepted_at"""


class Columns(NamedTuple):
    """One row of the table, in the order of the statement."""

    event_id: UUID
    post_id: UUID
    tenant: str
    integration: str
    conversation: str
    network: str
    change: Change
    revision: int
    event_time: datetime | None


class Entry(NamedTuple):
    """A post ready to be kept: its row and its record."""

    columns: Columns
    outgoing: Outgoing
    post: Accepted


def entry_of(accepted: Accepted) -> Entry:
    """Prepare a post, so that nothing but writing is left to the transaction."""
    metadata, post = accepted.event.metadata, accepted.event.message.post
    columns = Columns(
        event_id=metadata.event_id,
        post_id=accepted.post_id,
        tenant=metadata.tenant,
        integration=post.integration,
        conversation=accepted.conversation_id,
        network=post.network,
        change=accepted.change,
        revision=post.revision,
        event_time=accepted.event_time,
    )
    event: Event[Message] = Event(metadata, accepted.event.message)
    return Entry(columns, encode(POSTS, accepted.conversation_id, event), accepted)


async def keep(pool: Pool, entries: Sequence[Entry]) -> set[UUID]:
    """Keep those never seen before and promise to publish them, in their order; answers their event ids.

    One statement, and so one transaction. A post that another transaction is keeping at this moment is waited for,
    so that nobody is told of a duplicate whose original was then rolled back. All writers insert in the order of the
    ids, so none waits for one that waits for it.
    """
    entries = await _with_their_kin(pool, entries)
    first: dict[UUID, Entry] = {}
    for entry in entries:
        first.setdefault(entry.columns.event_id, entry)
    rows = zip(*(entry.columns for entry in first.values()), strict=True)
    messages = columns_of([entry.outgoing for entry in first.values()])
    with closed_means_unavailable():
        return {row["event_id"] for row in await pool.fetch(_KEEP, *rows, *messages)}


async def _with_their_kin(pool: Pool, entries: Sequence[Entry]) -> Sequence[Entry]:
    """Put replies, edits and deletions whose source does not tell their thread into the conversation of their kin."""
    kin = {each for entry in entries for each in entry.post.kin}
    if not kin:
        return entries
    with closed_means_unavailable():
        rows = await pool.fetch(_CONVERSATIONS, list(kin))
    return join(entries, {row["post_id"]: row["conversation"] for row in rows})


def join(entries: Sequence[Entry], conversations: Mapping[UUID, str]) -> list[Entry]:
    """Move entries to the conversation of their kin, where `conversations` or an entry before them has it. Pure."""
    known = dict(conversations)
    joined = []
    for entry in entries:
        conversation = next((known[each] for each in entry.post.kin if each in known), None)
        if conversation is not None and conversation != entry.post.conversation_id:
            entry = entry_of(entry.post.moved(conversation))  # noqa: PLW2901 - the same entry, elsewhere
        known[entry.post.post_id] = entry.post.conversation_id
        joined.append(entry)
    return joined
