"""Which of all decisions about a post stands: pure, and the same in whatever order they arrive."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from ascolto.classification.v1 import classification_pb2 as pb

Rank = tuple[bool, int, str, datetime, UUID]

MODEL: Final = "model"
PERSON: Final = "person"
_TICK: Final = timedelta(microseconds=1)

_HEAD_STARTS: Final = {
    pb.PRIORITY_URGENT: timedelta(hours=8),
    pb.PRIORITY_HIGH: timedelta(hours=2),
    pb.PRIORITY_LOW: timedelta(hours=-2),
}
_HEAD_STARTS_WITHOUT_RULES: Final = {
    pb.URGENCY_LEVEL_CRITICAL: timedelta(hours=8),
    pb.URGENCY_LEVEL_HIGH: timedelta(hours=2),
    pb.URGENCY_LEVEL_RAISED: timedelta(minutes=30),
}


class Decided(NamedTuple):
    """What one event decided about a post, in the order of the table's columns; words are those of `vocabulary`."""

    post_name: str
    tenant: str
    conversation: str
    network: str
    language: str
    revision: int
    deleted: bool
    authority: str
    decided_at: datetime
    event_id: UUID
    category: str
    kind: str
    decision: str
    stage: str
    model: str | None
    probability: float | None
    heard_at: datetime
    priority_at: datetime
    payload: bytes | None
    """PostClassified; None where the post is gone."""
    corrected_by: str | None
    correction_reason: str | None

    @property
    def rank(self) -> Rank:
        """A deletion is final; else the revision, a person over a model, what was decided later, the event id."""
        return self.deleted, self.revision, self.authority, self.decided_at, self.event_id

    @property
    def version(self) -> tuple[bool, int]:
        """Which state of the post it is about."""
        return self.deleted, self.revision

    def heard(self, heard_at: datetime) -> "Decided":
        """The same about a version that was heard then."""
        head_start = self.heard_at - self.priority_at
        return self._replace(heard_at=heard_at, priority_at=heard_at - head_start)


@dataclass(frozen=True, slots=True)
class Fact:
    """A decision, and what is kept of it for ever."""

    decided: Decided
    outline: bytes
    """PostClassified without anything that a person said."""

    @property
    def event_id(self) -> UUID:
        """Of the message that brought it."""
        return self.decided.event_id


def standing(facts: Iterable[Decided]) -> list[Decided]:
    """What stands of each post, ordered by its name.

    A correction knows when it was made and not when the post was heard: the earliest word about a version tells.
    """
    found: dict[str, Decided] = {}
    for decided in facts:
        before = found.get(decided.post_name)
        found[decided.post_name] = _merged(before, decided) if before else decided
    return [found[name] for name in sorted(found)]


def _merged(one: Decided, other: Decided) -> Decided:
    above = max(one, other, key=lambda decided: decided.rank)
    return above.heard(min(one.heard_at, other.heard_at)) if one.version == other.version else above


def moment_after(standing_since: datetime, now: datetime) -> datetime:
    """When a decision is made that shall stand over one of `standing_since`, whatever the clocks of machines say."""
    return max(now, standing_since + _TICK)


def head_start(message: pb.PostClassified) -> timedelta:
    """How far ahead of its turn a post is sorted; bounded, so that every other comes to its turn."""
    if message.HasField("handling"):
        return _HEAD_STARTS.get(message.handling.priority, timedelta(0))
    return _HEAD_STARTS_WITHOUT_RULES.get(message.classification.urgency.level, timedelta(0))
