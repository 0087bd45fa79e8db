"""insist repeats what is transient without limit and lets everything else through at once."""

from itertools import islice

import pytest

from chassis.errors import NeverRetry
from chassis.kafka import Backoff
from chassis.kafka.retry import insist

QUICK = Backoff(first_seconds=0.0001, limit_seconds=0.0002)


class Waits:
    def __init__(self) -> None:
        self.told: list[str | None] = []

    async def __call__(self, error: BaseException | None) -> None:
        self.told.append(None if error is None else type(error).__name__)


class Outage:
    """Fails so many times, then answers or raises."""

    def __init__(self, failures: int, end: Exception | None = None) -> None:
        self.left, self.end = failures, end

    async def __call__(self) -> str:
        if self.left:
            self.left -= 1
            raise ConnectionRefusedError
        if self.end:
            raise self.end
        return "done"


async def test_it_goes_on_until_the_outage_ends_and_says_so() -> None:
    waits = Waits()
    assert await insist(Outage(3), transient=(OSError,), waiting=waits, backoff=QUICK) == "done"
    assert waits.told == ["ConnectionRefusedError"] * 3 + [None]


async def test_without_an_outage_nobody_waits() -> None:
    waits = Waits()
    await insist(Outage(0), transient=(OSError,), waiting=waits, backoff=QUICK)
    assert waits.told == []


async def test_another_error_ends_the_wait_and_passes() -> None:
    waits = Waits()
    with pytest.raises(NeverRetry):
        await insist(Outage(1, NeverRetry("X", "y")), transient=(OSError,), waiting=waits, backoff=QUICK)
    assert waits.told[-1] is None


def test_delays_double_up_to_the_limit_with_jitter() -> None:
    delays = list(islice(Backoff(first_seconds=1, limit_seconds=8).delays(), 6))
    for delay, most in zip(delays, [1, 2, 4, 8, 8, 8], strict=True):
        assert 0.75 * most <= delay <= most
