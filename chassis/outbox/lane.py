"""The publishing of one shard: at most one batch under way, and patience after a failure."""

import asyncio
from dataclasses import dataclass

from chassis.errors import NeverRetry

_FIRST_BACKOFF_SECONDS = 0.1
_SLOW_SECONDS = 5.0


@dataclass(slots=True)
class Lane:
    """The state of one shard that this relay holds. Times are those of the event loop's clock."""

    task: asyncio.Task[list[int]] | None = None
    begun_at: float = 0.0
    failures: int = 0
    ready_at: float = 0.0
    reason: str = ""

    def begin(self, task: asyncio.Task[list[int]], now: float) -> None:
        """Note the batch that is under way from now on; it ends with the ids that were acknowledged."""
        self.task = task
        self.begun_at = now

    def trouble(self, now: float) -> str | None:
        """Answer why rows of this shard wait longer than they should, or None."""
        if self.failures:
            return self.reason
        if self.task and now - self.begun_at > _SLOW_SECONDS:
            return "no acknowledgement"
        return None

    def is_busy(self) -> bool:
        """Tell whether a batch is under way."""
        return self.task is not None

    def is_ready(self, now: float) -> bool:
        """Tell whether the next batch may start."""
        return self.task is None and now >= self.ready_at

    def limit(self, batch_rows: int) -> int:
        """Answer how many rows to try at once: half as many after each failure, down to one.

        So a row that Kafka refuses ends up alone, and those before it go out once instead of with every try.
        """
        return max(1, batch_rows >> self.failures)

    def failed(self, error: Exception, now: float, backoff_max_seconds: float) -> None:
        """Wait twice as long as after the failure before."""
        # The exponent is bounded because an outage of days must not overflow a float.
        backoff_seconds = min(backoff_max_seconds, _FIRST_BACKOFF_SECONDS * 2 ** min(self.failures, 16))
        self.failures += 1
        self.ready_at = now + backoff_seconds
        self.reason = error.code if isinstance(error, NeverRetry) else type(error).__name__

    def succeeded(self) -> None:
        """Forget the failures."""
        self.failures = 0
        self.ready_at = 0.0
        self.reason = ""
