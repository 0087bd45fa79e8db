"""The deliveries that are worked on: so many at once, and of one integration no more than its share."""

import asyncio
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any, Final

import asyncpg
import structlog

from chassis.postgres import POSTGRES_UNAVAILABLE
from services.responder.deliveries import Due, UnderWay

_SHARE: Final = 4
"""One integration may have one place in so many: a receiver that does not answer leaves the others theirs."""
_log = structlog.get_logger(__name__)


class Places:
    """Runs each delivery as a task of its own; `on_free` tells that a place is free again."""

    def __init__(self, count: int, on_free: Callable[[], None]) -> None:
        self._count = count
        self._share = max(1, count // _SHARE)
        self._on_free = on_free
        self._taken: dict[asyncio.Task[None], Due] = {}
        self._failures: list[BaseException] = []

    def free(self) -> int:
        """How many deliveries more may be worked on."""
        return self._count - len(self._taken)

    def under_way(self) -> UnderWay:
        """What must not be begun (again) now."""
        held = Counter(due.integration for due in self._taken.values())
        full = [integration for integration, count in held.items() if count >= self._share]
        return UnderWay([due.approval_id for due in self._taken.values()], full)

    def take(self, due: Due, work: Callable[[Due], Coroutine[Any, Any, None]]) -> bool:
        """Begin to work on `due`, unless its integration has its share already."""
        if due.integration in self.under_way().full:
            return False
        task = asyncio.create_task(work(due), name=f"delivery-{due.approval_id}")
        self._taken[task] = due
        task.add_done_callback(self._ended)
        return True

    def check(self) -> None:
        """Raise what deliveries failed with since the last time; a defect before what PostgreSQL refused."""
        failures, self._failures = self._failures, []
        if failures:
            raise min(failures, key=_is_of_postgresql)

    async def emptied(self, seconds: float | None = None) -> None:
        """Wait until everything under way has ended, no longer than `seconds`; what is left then is cut off."""
        try:
            async with asyncio.timeout(seconds):
                await asyncio.gather(*self._taken, return_exceptions=True)
        except TimeoutError:
            _log.warning("deliveries_cut_off", after_seconds=seconds)

    def _ended(self, task: asyncio.Task[None]) -> None:
        del self._taken[task]
        if not task.cancelled() and (error := task.exception()) is not None:
            self._failures.append(error)
        self._on_free()


def _is_of_postgresql(error: BaseException) -> bool:
    return isinstance(error, (*POSTGRES_UNAVAILABLE, asyncpg.PostgresError))
