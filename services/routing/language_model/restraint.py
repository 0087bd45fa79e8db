"""When a language model is not asked: after failures in a row, and beyond a budget of calls."""

from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import Final

Seconds = Callable[[], float]
"""A clock that only runs forward."""

LONGEST_PAUSE_SECONDS: Final = 600.0
"""Whatever the other side asks for."""
_MINUTE_SECONDS: Final = 60.0


@dataclass
class Circuit:
    """Open after `failures` in a row: nothing is asked for `pause_seconds`; then one more failure opens it again."""

    failures: int
    pause_seconds: float
    clock: Seconds = monotonic
    _failed: int = field(default=0, init=False)
    _open_until: float = field(default=float("-inf"), init=False)

    def is_open(self) -> bool:
        """Whether it must be left alone."""
        return self.clock() < self._open_until

    def succeeded(self) -> None:
        """It answered."""
        self._failed = 0

    def failed(self, wanted_pause_seconds: float | None = None) -> bool:
        """Note a failure, and the pause that the other side asked for; answers whether that opened the circuit."""
        self._failed += 1
        if self._failed < self.failures and wanted_pause_seconds is None:
            return False
        was_open = self.is_open()
        pause = max(self.pause_seconds, min(wanted_pause_seconds or 0.0, LONGEST_PAUSE_SECONDS))
        self._open_until = self.clock() + pause
        return not was_open


@dataclass
class Budget:
    """So many calls a minute, of which those that were saved up to a minute's worth may be made at once."""

    calls_per_minute: int
    clock: Seconds = monotonic
    _left: float = field(init=False)
    _counted_at: float = field(init=False)

    def __post_init__(self) -> None:
        self._left = self.calls_per_minute
        self._counted_at = self.clock()

    def take(self) -> bool:
        """Whether one more call may be made; counts it if so."""
        now = self.clock()
        earned = (now - self._counted_at) * self.calls_per_minute / _MINUTE_SECONDS
        self._left, self._counted_at = min(self.calls_per_minute, self._left + earned), now
        if self._left < 1:
            return False
        self._left -= 1
        return True
