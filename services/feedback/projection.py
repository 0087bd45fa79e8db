"""What the read model becomes when changes of posts arrive: pure, and the same in whatever order they arrive.

A change stands when it outranks what stood before. Ranks are totally ordered, so any interleaving, repetition or
batching of the same changes ends in the same posts and the same counts. A correction is a change like any other.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import NamedTuple
from uuid import UUID

from services.feedback.vocabulary import PERSON

Rank = tuple[bool, int, bool, datetime, UUID]


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
    """Of the classification or correction."""
    post_event_id: UUID
    """Of the change that was classified."""
    revision: int
    state: str
    direction: str
    category: str
    decision: str
    authority: str
    decided_at: datetime
    network: str
    language: str
    integration: str
    heard_at: datetime
    event_time: datetime
    """When the network says that it was written, else when it was heard."""
    dated: bool
    """Whether the network says so."""

    @property
    def version(self) -> tuple[bool, int]:
        """Which state of the post it tells of: the first part of the rank."""
        return self.state == "deleted", self.revision

    @property
    def rank(self) -> Rank:
        """A deletion is final; else the revision, a person over a model, what was decided later, and the event id."""
        return *self.version, self.authority == PERSON, self.decided_at, self.event_id

    def first_heard(self, other: "Post") -> "Post":
        """The same, heard when the earlier of the two was, if they are of one version.

        A correction knows when it was made and not when its post was heard, and may be read before it.
        """
        if self.version != other.version or self.heard_at <= other.heard_at:
            return self
        return self._replace(heard_at=other.heard_at, event_time=self.event_time if self.dated else other.heard_at)

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
    insight: bytes
    """Insight without anything that was said."""

    @property
    def event_id(self) -> UUID:
        """Of the message that brought the change."""
        return self.post.event_id

    @property
    def heard_at(self) -> datetime:
        """When we learned it: the post was heard, or corrected."""
        return self.post.decided_at

    def is_told_after(self, previous: Post | None) -> bool:
        """Whether readers learn of it. Of an own post those alone who had it before it turned out to be one."""
        own = self.post.cell is None and self.post.state != "deleted"
        return not own or (previous is not None and previous.cell is not None)


class Insight(NamedTuple):
    """One row of the insight log, in the order of the table's columns.

    Where a filter names a dimension that is None here, the insight passes: removals and answers carry names only,
    and whoever keeps a post must learn that it is gone. The `was_` dimensions let a post that an edit or a correction
    moved pass the filters of where it was, too, so that no reader keeps it under what it no longer is.
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
    """The posts of which another change stands than before."""
    redated: list[Post]
    """The posts that stand as before, but were heard earlier than was known."""
    volumes: dict[Cell, int]
    """How much each count grows or shrinks; never 0."""
    insights: list[Insight]
    """In the order in which they were learnt."""


def fold(stored: Mapping[str, Post], arriving: Iterable[Heard]) -> Changes:
    """Take `arriving` in, given how the posts that they name stand; names of `stored` are post names."""
    now = dict(stored)
    standing: dict[str, Heard] = {}
    told: list[tuple[Heard, Post | None]] = []
    for heard in arriving:
        name, previous = heard.post.post_name, now.get(heard.post.post_name)
        if previous is None:
            now[name], standing[name] = heard.post, heard
        elif heard.post.rank > previous.rank:
            now[name], standing[name] = heard.post.first_heard(previous), heard
        else:
            now[name] = previous.first_heard(heard.post)
            continue
        told.append((heard, previous))
    return Changes(
        posts=[replace(heard, post=now[name]) for name, heard in standing.items()],
        redated=[now[name] for name in stored if name not in standing and now[name] != stored[name]],
        volumes=_volumes(stored, now),
        insights=list(_insights(told, now)),
    )


def hour_of(time: datetime) -> datetime:
    """The beginning of the hour in UTC."""
    return time.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _volumes(stored: Mapping[str, Post], now: Mapping[str, Post]) -> dict[Cell, int]:
    deltas: Counter[Cell] = Counter()
    for name, post in now.items():
        previous = stored.get(name)
        if previous is not None and previous.cell is not None:
            deltas[previous.cell] -= 1
        if post.cell is not None:
            deltas[post.cell] += 1
    return {cell: delta for cell, delta in deltas.items() if delta}


def _insights(told: Iterable[tuple[Heard, Post | None]], now: Mapping[str, Post]) -> Iterator[Insight]:
    for heard, previous in told:
        if heard.is_told_after(previous):
            last = now[heard.post.post_name]
            # Heard earlier than it said itself, if the rest of the batch told so.
            yield _insight(last if last.event_id == heard.event_id else heard.post, heard.insight, previous)


def _insight(post: Post, payload: bytes, previous: Post | None) -> Insight:
    now, was = post.cell, previous.cell if previous is not None else None
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
