"""How long to wait between attempts: a little for a failing record, without limit for absent infrastructure."""

import asyncio
import random
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Backoff:
    """Delays that double from `first_seconds` to `limit_seconds`, each shortened by up to a quarter at random."""

    first_seconds: float = 0.1
    limit_seconds: float = 5.0

    def delays(self) -> Iterator[float]:
        """Seconds before the next attempt, without end."""
        delay = self.first_seconds
        while True:
            yield delay * random.uniform(0.75, 1.0)  # noqa: S311 - jitter
            delay = min(self.limit_seconds, delay * 2)


async def insist(
    action: Callable[[], Awaitable[R]],
    *,
    transient: tuple[type[BaseException], ...],
    waiting: Callable[[BaseException | None], Awaitable[None]],
    backoff: Backoff,
) -> R:
    """Repeat `action` until it ends otherwise than by a `transient` error.

    `waiting` is told each such error, then None once the wait is over; it keeps the group membership alive.
    """
    for attempt, delay in enumerate(backoff.delays()):
        try:
            result = await action()
        except transient as error:
            await waiting(error)
            await asyncio.sleep(delay)
        except BaseException:
            await _over(attempt, waiting)
            raise
        else:
            await _over(attempt, waiting)
            return result
    raise AssertionError("the delays have no end")


async def _over(attempt: int, waiting: Callable[[BaseException | None], Awaitable[None]]) -> None:
    if attempt:
        await waiting(None)
