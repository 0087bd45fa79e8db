"""What the relay tells of itself: how much waits, how long the oldest has waited, how much was published."""

from opentelemetry import metrics

from chassis.outbox.session import Backlog
from chassis.semantics import DB_NAMESPACE


class RelayMetrics:
    """The instruments of one relay. Replicas hold different shards, so their depths add up to the outbox's."""

    def __init__(self, schema: str) -> None:
        meter = metrics.get_meter("chassis.outbox")
        self._attributes = {DB_NAMESPACE: schema}
        self._depth = meter.create_gauge("ascolto.outbox.depth", unit="{row}", description="Rows that wait")
        self._age = meter.create_gauge(
            "ascolto.outbox.oldest_age", unit="s", description="How long the oldest row has waited"
        )
        self._published = meter.create_counter(
            "ascolto.outbox.published", unit="{message}", description="Messages acknowledged by Kafka"
        )

    def published(self, count: int) -> None:
        """Count messages that were acknowledged."""
        self._published.add(count, self._attributes)

    def measured(self, backlog: Backlog) -> None:
        """Note how much waits."""
        self._depth.set(backlog.depth, self._attributes)
        self._age.set(backlog.oldest_age_seconds, self._attributes)
