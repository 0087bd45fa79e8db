"""What one contestant did in one round, and the clocks that tell it."""

import json
import resource
import time
from dataclasses import asdict, dataclass
from typing import Self

import psutil


@dataclass(frozen=True, slots=True)
class Measurement:
    """So many items in so much time and so much CPU (user and system) of the contestant's process alone."""

    items: int
    seconds: float
    cpu_seconds: float

    @property
    def rate(self) -> float:
        """Items a second."""
        return self.items / self.seconds

    @property
    def cpu_us(self) -> float:
        """Microseconds of CPU an item."""
        return self.cpu_seconds / self.items * 1e6

    def to_json(self) -> str:
        """One line, as a contestant prints it."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, line: str) -> Self:
        """Read the line of a contestant."""
        return cls(**json.loads(line))


def cpu_seconds() -> float:
    """CPU of this process so far, all its threads, user and system."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def cpu_seconds_of(pid: int) -> float:
    """CPU of another process so far, in steps of the kernel's clock (10 ms as a rule)."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)


class Stopwatch:
    """CPU counts from the making of the stopwatch, so that what a client fetches ahead is not free.

    Wall time counts from the first item in hand, so that joining a group, which is waiting, does not matter.
    """

    def __init__(self) -> None:
        self._cpu_seconds = cpu_seconds()
        self._started_at: float | None = None

    def begin(self) -> None:
        """The first item is here; later calls change nothing."""
        if self._started_at is None:
            self._started_at = time.perf_counter()

    def end(self, items: int) -> Measurement:
        """All `items` are done."""
        assert self._started_at is not None, "nothing was begun"
        return Measurement(items, time.perf_counter() - self._started_at, cpu_seconds() - self._cpu_seconds)
