"""The loop of a background worker: work while there is some, then wait for a hint or for the next poll."""

import asyncio
from collections.abc import Awaitable, Callable

import asyncpg
import structlog

from chassis.postgres import POSTGRES_UNAVAILABLE, closed_means_unavailable

_PAUSE_SECONDS = 1.0
_log = structlog.get_logger(__name__)


class Signal:
    """Wakes one waiter; a hint that comes while nobody waits is kept."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def set(self) -> None:
        """Wake the waiter."""
        self._event.set()

    async def wait(self, seconds: float) -> None:
        """Wait for a hint, no longer than `seconds`."""
        try:
            async with asyncio.timeout(seconds):
                await self._event.wait()
        except TimeoutError:
            return
        finally:
            self._event.clear()


async def repeat(step: Callable[[], Awaitable[int]], signal: Signal, poll_seconds: float, worker: str) -> None:
    """Call `step` until cancelled; it answers how much it found to do, and 0 means: wait.

    PostgreSQL that is away is waited for, and what it refuses (a deadlock, a statement that takes too long) is tried
    again; any other error ends the worker, and with it the process.
    """
    while True:
        try:
            with closed_means_unavailable():
                found = await step()
        except POSTGRES_UNAVAILABLE as error:
            _log.warning("postgres_awaited", worker=worker, error_class=type(error).__name__)
            await asyncio.sleep(_PAUSE_SECONDS)
        except asyncpg.PostgresError as error:
            _log.error("postgres_refused", worker=worker, error_class=type(error).__name__)
            await asyncio.sleep(_PAUSE_SECONDS)
        else:
            if not found:
                await signal.wait(poll_seconds)
