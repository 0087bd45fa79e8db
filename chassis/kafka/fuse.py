"""The fuse of the dead letters: when most records look bad, the fault is ours and the process stops."""

from collections import deque

from chassis.errors import Crash


class Fuse:
    """Blows when too many records in a row, or too large a share of the last ones, are dead-lettered.

    `admit` is asked before a dead letter is written, so a wrong deployment stops with its input uncommitted
    instead of emptying a topic into its dead letters.
    """

    def __init__(
        self, *, max_consecutive: int = 100, max_ratio: float = 0.5, window: int = 1_000, min_records: int = 200
    ) -> None:
        self._max_consecutive = max_consecutive
        self._max_ratio = max_ratio
        self._min_records = min_records
        self._window = window
        self._runs: deque[tuple[int, int]] = deque()
        self._consecutive = 0
        self._good = 0
        self._dead = 0

    def good(self, records: int) -> None:
        """`records` were handled: the row of dead ones is broken."""
        if records:
            self._consecutive = 0
            self._count(records, 0)

    def admit(self, dead: int) -> None:
        """`dead` more records are about to be dead-lettered; raise Crash if that is too many."""
        self._consecutive += dead
        self._count(0, dead)
        if self._consecutive > self._max_consecutive:
            raise Crash(
                f"{self._consecutive} records in a row are dead letters (limit {self._max_consecutive}): "
                "the fault is likely in this version, not in the records; nothing was committed"
            )
        total = self._good + self._dead
        if total >= self._min_records and self._dead > self._max_ratio * total:
            raise Crash(
                f"{self._dead} of the last {total} records are dead letters (limit {self._max_ratio:.0%}): "
                "the fault is likely in this version, not in the records; nothing was committed"
            )

    def _count(self, good: int, dead: int) -> None:
        self._runs.append((good, dead))
        self._good += good
        self._dead += dead
        while len(self._runs) > 1 and self._good + self._dead - sum(self._runs[0]) >= self._window:
            oldest_good, oldest_dead = self._runs.popleft()
            self._good -= oldest_good
            self._dead -= oldest_dead
