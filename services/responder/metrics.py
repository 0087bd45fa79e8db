"""What responder measures: every metric name of the service, with its unit and meaning."""

from collections.abc import Callable, Iterable

from opentelemetry import metrics
from opentelemetry.metrics import CallbackOptions, Observation

from services.responder.turn import NotDueReason

REASON = "ascolto.reason"
"""Attribute: why, as an UPPER_SNAKE word of a closed set."""
OUTCOME = "ascolto.outcome"
"""Attribute: how an attempt to send ended."""
STATE = "ascolto.reply.state"
"""Attribute: the state of a reply, or "WANTED" for a draft that is still to be written."""
_LATENCY_BUCKETS_SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)

_meter = metrics.get_meter("services.responder")
_received = _meter.create_counter(
    "ascolto.responder.posts", unit="{post}", description="Classified posts taken in for the first time"
)
_not_due = _meter.create_counter(
    "ascolto.responder.not_due", unit="{post}", description="Posts that get no answer, by reason"
)
_draft_latency = _meter.create_histogram(
    "ascolto.responder.draft.latency",
    unit="s",
    description="From when we learned of the newest post of a turn to when its draft can be seen",
    explicit_bucket_boundaries_advisory=_LATENCY_BUCKETS_SECONDS,
)
_sends = _meter.create_counter(
    "ascolto.responder.sends", unit="{attempt}", description="Attempts to send, by how they ended"
)
_jobs_failed = _meter.create_counter(
    "ascolto.responder.drafts.failed", unit="{draft}", description="Drafts that were given up"
)


def received(posts: int) -> None:
    """Count what one batch brought."""
    _received.add(posts)


def not_due(reason: NotDueReason) -> None:
    """Count a post that gets no answer."""
    _not_due.add(1, {REASON: reason.value})


def drafted(latency_seconds: float) -> None:
    """Measure how long a draft took."""
    _draft_latency.record(max(0.0, latency_seconds))


def draft_failed() -> None:
    """Count a draft that was given up."""
    _jobs_failed.add(1)


def sent(outcome: str) -> None:
    """Count an attempt to send."""
    _sends.add(1, {OUTCOME: outcome})


def observe_queue(depths: Callable[[], dict[str, int]]) -> None:
    """Report how many replies wait in each state, as `depths` last counted them."""

    def observe(_: CallbackOptions) -> Iterable[Observation]:
        return [Observation(count, {STATE: state}) for state, count in depths().items()]

    _meter.create_observable_gauge(
        "ascolto.responder.queue",
        callbacks=[observe],
        unit="{reply}",
        description="Replies and wanted drafts that wait for somebody, by state",
    )
