"""Liveness by progress: a consumer that has work and does not move is not alive, however it answers pings."""

from collections.abc import Callable
from time import monotonic

Position = tuple[str, int]


class Progress:
    """What one subscription has done so far; `is_live` is what a liveness probe asks.

    Fed by the subscription; `now` gives monotonic seconds and is injected for tests.
    """

    def __init__(self, *, stalled_after_seconds: float = 120.0, now: Callable[[], float] = monotonic) -> None:
        self._stalled_after_seconds = stalled_after_seconds
        self._now = now
        self._moved_at = now()
        self._next_offsets: dict[Position, int] = {}
        self.lag = 0
        self.waiting_for: str | None = None

    @property
    def next_offsets(self) -> dict[Position, int]:
        """(topic, partition) -> the offset of the first record that is not done with."""
        return dict(self._next_offsets)

    def begin(self, first_offsets: dict[Position, int]) -> None:
        """Work starts at `first_offsets`: from here on what was fetched but is not done counts as lag."""
        for position, offset in first_offsets.items():
            self._next_offsets.setdefault(position, offset)

    def done(self, next_offsets: dict[Position, int]) -> None:
        """Work up to `next_offsets` is finished."""
        self._next_offsets.update(next_offsets)
        self._moved_at = self._now()

    def observe(self, end_offsets: dict[Position, int], positions: dict[Position, int]) -> None:
        """Compute the lag of the assigned partitions; no lag, no assignment and no answer count as moving."""
        reached = {**positions, **{at: n for at, n in self._next_offsets.items() if at in positions}}
        self.lag = sum(max(0, end - reached.get(at, end)) for at, end in end_offsets.items())
        if self.lag == 0:
            self._moved_at = self._now()

    def cannot_tell(self) -> None:
        """Kafka does not answer, so nothing is known about the lag: that is no fault of this process."""
        self._moved_at = self._now()

    def forget(self, positions: set[Position]) -> None:
        """These partitions were revoked: their offsets say nothing about this process any more."""
        for position in positions:
            self._next_offsets.pop(position, None)

    def wait_for(self, what: str | None) -> None:
        """Name the infrastructure that work waits for (None: no more); waiting is not a stall."""
        self.waiting_for = what
        self._moved_at = self._now()

    def is_live(self) -> bool:
        """False when there is lag, nothing moved for `stalled_after_seconds`, and nothing else is to blame."""
        if self.lag == 0 or self.waiting_for is not None:
            return True
        return self._now() - self._moved_at < self._stalled_after_seconds
