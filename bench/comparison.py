"""One contestant beside its rivals over several rounds: medians, and ratios formed within each round. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import NamedTuple

from bench.measurement import Measurement


class Spread(NamedTuple):
    """The middle of several values and how far they lie apart."""

    median: float
    low: float
    high: float


def spread(values: Sequence[float]) -> Spread:
    """Sum up the values of all rounds."""
    return Spread(median(values), min(values), max(values))


def turns(contestants: Sequence[str], rounds: int) -> Iterator[str]:
    """Who runs when: each once a round, and each round begins with another, so that no place favours anybody."""
    for number in range(rounds):
        first = number % len(contestants)
        yield from (*contestants[first:], *contestants[:first])


@dataclass(frozen=True, slots=True)
class Target:
    """The subject is to have at least so many times the rate of a rival."""

    rival: str
    at_least: float


@dataclass(frozen=True)
class Comparison:
    """The measurements of every contestant, round by round; the ratios say `subject` over another."""

    subject: str
    rounds: Mapping[str, Sequence[Measurement]]

    def rate(self, name: str) -> float:
        """Median items a second."""
        return median(each.rate for each in self.rounds[name])

    def cpu_us(self, name: str) -> float:
        """Median microseconds of CPU an item."""
        return median(each.cpu_us for each in self.rounds[name])

    def rate_ratio(self, rival: str) -> Spread:
        """How many times the rival's rate; more is better."""
        return self._ratio(rival, lambda each: each.rate)

    def cpu_ratio(self, rival: str) -> Spread:
        """How many times the rival's CPU an item; less is better."""
        return self._ratio(rival, lambda each: each.cpu_us)

    def meets(self, target: Target) -> bool:
        """Whether the median ratio reaches the target."""
        return self.rate_ratio(target.rival).median >= target.at_least

    def _ratio(self, rival: str, value: Callable[[Measurement], float]) -> Spread:
        pairs = zip(self.rounds[self.subject], self.rounds[rival], strict=True)
        return spread([value(ours) / value(theirs) for ours, theirs in pairs])
