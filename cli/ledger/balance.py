"""From evidence to the ledger: pure, so that every way to lose or double something can be tested.

A post counts by its event: each created, edited or deleted version of it must arrive on its own. An event has
arrived everywhere when routing classified it and both feedback and responder took it in. Where a stage is missing,
either something still holds the event (it is in flight), or a dead letter does, or it is lost.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

EventId: TypeAlias = str
Position: TypeAlias = tuple[str, int, int]
"""Topic, partition, offset."""
Partition: TypeAlias = tuple[str, int]
Fate: TypeAlias = Literal["done", "in_flight", "dead_lettered", "lost"]

WORST_FIRST: Final[tuple[Fate, ...]] = ("lost", "dead_lettered", "in_flight", "done")


@dataclass(frozen=True, slots=True)
class Copy:
    """One record of a classification on a topic; the same event may stand there more than once."""

    event_id: EventId
    position: Position


@dataclass(frozen=True)
class Stage:
    """What one consumer has taken in, and how far it has come."""

    handled: AbstractSet[EventId]
    """The event ids in its inbox."""
    committed: Mapping[Partition, int]
    """The next offset that it will read; a partition that is absent was never read."""

    def still_to_read(self, position: Position) -> bool:
        """Whether the record at `position` lies before the consumer."""
        topic, partition, offset = position
        return offset >= self.committed.get((topic, partition), 0)


@dataclass(frozen=True)
class Evidence:
    """What the stores and the topics say about the events accepted in a range."""

    accepted: AbstractSet[EventId]
    queued: AbstractSet[EventId]
    """Still in the outbox of ingest."""
    published: Mapping[EventId, list[Position]]
    """Where each event stands in the topic of posts."""
    classified: Mapping[EventId, list[Copy]]
    """The classifications of each event, on whatever topic."""
    triaged: AbstractSet[EventId]
    routing_committed: Mapping[Partition, int]
    feedback: Stage
    responder: Stage
    drafted: AbstractSet[EventId]
    """Events that a draft answers."""
    sent: AbstractSet[EventId]
    """Events whose answer was sent."""
    undecided: AbstractSet[EventId]
    """Events whose draft is still being written or sent."""
    dead_lettered: AbstractSet[EventId]
    """Events with a dead letter at any stage; one that was handled since does not count."""
    doubled: Mapping[str, int] = field(default_factory=dict)
    """What happened more than once, by kind."""


@dataclass(frozen=True, slots=True)
class Ledger:
    """The balance of a range: `lost` and `doubled` must be 0; `accepted` is the sum of the four fates."""

    accepted: int
    classified: int
    triaged: int
    projected: int
    drafted: int
    sent: int
    dead_lettered: int
    in_flight: int
    lost: int
    doubled: int
    doubled_by_kind: dict[str, int]
    lost_events: tuple[EventId, ...]
    """The first hundred, to look into."""


def balance(evidence: Evidence) -> Ledger:
    """Weigh the evidence."""
    fates = {event: fate_of(event, evidence) for event in evidence.accepted}
    count = Counter(fates.values())
    return Ledger(
        accepted=len(evidence.accepted),
        classified=len(evidence.accepted & evidence.classified.keys()),
        triaged=len(evidence.accepted & evidence.triaged),
        projected=sum(_handled(event, evidence, evidence.feedback) for event in evidence.accepted),
        drafted=len(evidence.accepted & evidence.drafted),
        sent=len(evidence.accepted & evidence.sent),
        dead_lettered=count["dead_lettered"],
        in_flight=count["in_flight"],
        lost=count["lost"],
        doubled=sum(evidence.doubled.values()),
        doubled_by_kind={kind: number for kind, number in evidence.doubled.items() if number},
        lost_events=tuple(sorted(event for event, fate in fates.items() if fate == "lost"))[:100],
    )


def fate_of(event: EventId, evidence: Evidence) -> Fate:
    """The worst that any stage has to say about an event."""
    routed = _routed(event, evidence)
    if routed != "done":
        return routed
    arrivals = [_arrived(event, evidence, stage) for stage in (evidence.feedback, evidence.responder)]
    if event in evidence.undecided:
        arrivals.append("in_flight")
    return _worst(arrivals)


def _routed(event: EventId, evidence: Evidence) -> Fate:
    if evidence.classified.get(event):
        return "done"
    if event in evidence.dead_lettered:
        return "dead_lettered"
    committed = Stage(frozenset(), evidence.routing_committed)
    waiting = event in evidence.queued or any(map(committed.still_to_read, evidence.published.get(event, ())))
    return "in_flight" if waiting else "lost"


def _arrived(event: EventId, evidence: Evidence, stage: Stage) -> Fate:
    if _handled(event, evidence, stage):
        return "done"
    if event in evidence.dead_lettered:
        return "dead_lettered"
    waiting = any(stage.still_to_read(copy.position) for copy in evidence.classified[event])
    return "in_flight" if waiting else "lost"


def _handled(event: EventId, evidence: Evidence, stage: Stage) -> bool:
    return any(copy.event_id in stage.handled for copy in evidence.classified.get(event, ()))


def _worst(fates: Iterable[Fate]) -> Fate:
    return min(fates, key=WORST_FIRST.index)
