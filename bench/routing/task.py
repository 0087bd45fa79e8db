"""What every contestant of routing is given, so that only the way through Kafka differs between them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from bench.classifier.stages import Stages, classifier
from bench.measurement import Measurement, Stopwatch
from chassis.messages import Outgoing, Record
from contracts.codec import Event, decode
from services.routing.decisions import classify_batch

BATCH_RECORDS: Final = 500

Classify = Callable[[Sequence[Event[Any]]], Sequence[Outgoing]]


@dataclass(frozen=True, slots=True)
class Task:
    """Route the first `records` posts of the topic as group `group`."""

    bootstrap_servers: str
    group: str
    records: int


class Work:
    """The same decoder, classifier and encoder for all, and the clock."""

    def __init__(self, stages: Stages) -> None:
        self._classify: Classify = partial(classify_batch, classifier(stages))
        self._stopwatch: Stopwatch | None = None

    def start(self) -> None:
        """Call it before the clients are made."""
        self._stopwatch = Stopwatch()

    def route(self, records: Sequence[Record]) -> Sequence[Outgoing]:
        """Decode and classify records."""
        return self.classify([decode(record) for record in records])

    def classify(self, events: Sequence[Event[Any]]) -> Sequence[Outgoing]:
        """Classify events; the first call starts the clock."""
        self._watch().begin()
        return self._classify(events)

    def done(self, records: int) -> Measurement:
        """Call it when the last offset is committed."""
        return self._watch().end(records)

    def _watch(self) -> Stopwatch:
        assert self._stopwatch is not None, "start it first"
        return self._stopwatch
