"""What feedback measures: facts taken in, how old they were by then, and who is watching."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from opentelemetry import metrics

from services.feedback.facts import Fact, Unused

_meter = metrics.get_meter("services.feedback")
_projected = _meter.create_counter(
    "ascolto.feedback.projected", unit="{event}", description="Events taken into the read models for the first time"
)
_lag = _meter.create_histogram(
    "ascolto.feedback.insight.lag", unit="s", description="From hearing something to having it in the read models"
)
_streams = _meter.create_up_down_counter(
    "ascolto.feedback.streams", unit="{stream}", description="Open streams of insights"
)


def projected(facts: Sequence[Fact], now: datetime) -> None:
    """Count a batch that was committed at `now`; its lag is that of the fact that waited longest."""
    _projected.add(len(facts))
    heard = [fact.heard_at for fact in facts if not isinstance(fact, Unused)]
    if heard:
        _lag.record(max(0.0, (now - min(heard)).total_seconds()))


@contextmanager
def watching() -> Iterator[None]:
    """Count one open stream inside the block."""
    _streams.add(1)
    try:
        yield
    finally:
        _streams.add(-1)
