"""What the read model becomes when changes of posts arrive: pure, and the same in whatever order they arrive.

A change stands when it outranks what stood before. Ranks are totally ordered, so any interleaving, repetition or
batching of the same changes ends in the same posts and the same counts.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

Rank = tuple[bool, int, datetime, UUID]


class Cell(NamedTuple):
    """What a post is counted under."""

    tenant: str
    hour: datetime
    category: str
    network: str
    language: str
    triage: bool


class Post(NamedTuple):
    """A post as one change left it, in the order of the table's columns; words are those of `vocabulary`."""

    post_name: str
    tenant: str
    event_id: UUID
    """Of the classification."""
    post_event_id: UUID
    """Of the change that was classified."""
    revision: int
    state: str
    direction: str
    category: str
    decision: str
    network: str
    language: str
    integration: str
    heard_at: datetime
    event_time: datetime
    """When the network says that it was written, else when it was heard."""

    @property
    def rank(self) -> Rank:
        """A deletion is final; else the higher revision, what was heard later, and to be total the event id."""
        return (self.state == "deleted", self.revision, self.heard_at, self.event_id)

    @property
    def cell(self) -> Cell | None:
        """Where the post counts; None for the brand's own posts and deleted ones, which count for nothing.

        What the brand says itself is not what people say about it: counted, a campaign would look like demand.
        """
        if self.state == "deleted" or self.direction == "own":
            return None
        triage = self.decision == "abstained"
        return Cell(self.tenant, hour_of(self.event_time), self.category, self.network, self.language, triage)


@dataclass(frozen=True, slots=True)
class Heard:
    """A change of a post, with what is kept and told of it where it stands."""

    post: Post
    evidence: bytes | None
    """PostEvidence with everything that was said; None where the post has no cell."""
    insight: bytes | None
    """Insight without anything that was said; None where there is nothing to tell."""

    @property
    def event_id(self) -> UUID:
        """Of the message that brought the change."""
        return self.post.event_id

    @property
    def heard_at(self) -> datetime:
        """When ingest heard it."""
        return self.post.heard_at


class Insight(NamedTuple):
    """One row of the insight log, in the order of the table's columns.

    Where a filter names a dimension that is None here, the insight passes: removals and answers carry names only,
    and whoever keeps a post must learn that it is gone. The `was_` dimensions let a post that an edit moved pass the
    filters of where it was, too, so that no reader keeps it under what it no longer is.
    """

    tenant: str
    event_id: UUID
    event_time: datetime
    post_name: str | None
    network: str | None
    category: str | None
    was_category: str | None
    language: str | None
    was_language: str | None
    triage: bool | None
    was_triage: bool | None
    payload: bytes


@dataclass(frozen=True, slots=True)
class Changes:
    """What a batch does to the read model."""

    posts: list[Heard]
    """The posts that are other than before, as they stand now."""
    volumes: dict[Cell, int]
    """How much each count grows or shrinks; never 0."""
    insights: list[Insight]
    """In the order in which they were learnt."""


def fold(stored: Mapping[str, Post], arriving: Iterable[Heard]) -> Changes:
    """Take `arriving` in, given how the posts that they name stand; names of `stored` are post names."""
    before = dict(stored)
    standing: dict[str, Heard] = {}
    insights = []
    for heard in arriving:
        name = heard.post.post_name
        previous = before.get(name)
        if previous is not None and previous.rank >= heard.post.rank:
            continue
        before[name] = heard.post
        standing[name] = heard
        if heard.insight is not None:
            insights.append(_insight(heard, heard.insight, previous))
    return Changes(list(standing.values()), _volumes(stored, standing), insights)


def hour_of(time: datetime) -> datetime:
    """The beginning of the hour in UTC."""
    return time.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _volumes(stored: Mapping[str, Post], standing: Mapping[str, Heard]) -> dict[Cell, int]:
    deltas: Counter[Cell] = Counter()
    for name, heard in standing.items():
        previous = stored.get(name)
        if previous is not None and previous.cell is not None:
            deltas[previous.cell] -= 1
        if heard.post.cell is not None:
            deltas[heard.post.cell] += 1
    return {cell: delta for cell, delta in deltas.items() if delta}


def _insight(heard: Heard, payload: bytes, previous: Post | None) -> Insight:
    post, now = heard.post, heard.post.cell
    was = previous.cell if previous is not None else None
    return Insight(
        tenant=post.tenant,
        event_id=post.event_id,
        event_time=post.event_time,
        post_name=post.post_name,
        network=post.network,
        category=now.category if now else None,
        was_category=was.category if now and was else None,
        language=now.language if now else None,
        was_language=was.language if now and was else None,
        triage=now.triage if now else None,
        was_triage=was.triage if now and was else None,
        payload=payload,
    )
