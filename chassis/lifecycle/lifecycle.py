"""What a process holds and runs, and how it lets go of it: in reverse order, each step with a deadline."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Any, TypeVar

import structlog

from chassis.health import Health

T = TypeVar("T")
_log = structlog.get_logger(__name__)


class Lifecycle:
    """The resources and background tasks of one process, newest last.

    `health` is the process's registry; it turns not ready as soon as the process begins to stop.
    """

    def __init__(self, *, grace_seconds: float) -> None:
        self.health = Health()
        self.health.add_readiness("lifecycle", self._draining)
        self._grace_seconds = grace_seconds
        self._stop = asyncio.Event()
        self._failures: list[str] = []
        self._steps: list[tuple[str, Callable[[], Awaitable[object]]]] = []

    @property
    def failures(self) -> list[str]:
        """The names of the background tasks that ended although nobody asked them to."""
        return list(self._failures)

    @property
    def stopping(self) -> bool:
        """Tell whether the process has begun to stop."""
        return self._stop.is_set()

    async def enter(self, resource: AbstractAsyncContextManager[T]) -> T:
        """Enter `resource` now and leave it when the process stops, before whatever was entered earlier."""
        name = _name(resource)
        entered = await resource.__aenter__()
        self._steps.append((name, lambda: resource.__aexit__(None, None, None)))
        return entered

    def background(self, coroutine: Coroutine[Any, Any, object], name: str) -> asyncio.Task[object]:
        """Run `coroutine` beside the rest until the process stops; then cancel it, newest first.

        It may use the cancellation to finish what it holds. If it raises, the process stops with exit code 1;
        if it returns, that is the end of its work and nothing more.
        """
        task: asyncio.Task[object] = asyncio.create_task(coroutine, name=name)
        task.add_done_callback(self._finished)
        self._steps.append((name, lambda: _cancelled(task)))
        return task

    def stop(self) -> None:
        """Ask the process to stop; safe to call again."""
        self._stop.set()

    async def stopped(self) -> None:
        """Wait until the process is asked to stop."""
        await self._stop.wait()

    async def drain(self) -> None:
        """Let go of everything in reverse order.

        A step may use half of what is left of the grace period, so that one that hangs leaves time for those
        beneath it; then it is cut off and named in the log.
        """
        self._stop.set()
        deadline = time.monotonic() + self._grace_seconds
        while self._steps:
            name, leave = self._steps.pop()
            left = max(0.0, deadline - time.monotonic())
            await _leave(name, leave, left / 2 if self._steps else left)

    def _draining(self) -> str | None:
        return "the process is stopping" if self.stopping else None

    def _finished(self, task: asyncio.Task[object]) -> None:
        if task.cancelled() or (error := task.exception()) is None:
            return
        self._failures.append(task.get_name())
        _log.error("background_task_failed", task=task.get_name(), exc_info=error)
        self.stop()


async def _leave(name: str, leave: Callable[[], Awaitable[object]], seconds: float) -> None:
    """Do one step; its failure is logged and goes no further."""
    try:
        async with asyncio.timeout(seconds):
            await leave()
    except TimeoutError:
        _log.warning("shutdown_step_cut_off", step=name, after_seconds=round(seconds, 1))
    except Exception:  # noqa: BLE001 - whatever it is, the steps beneath must be done
        _log.exception("shutdown_step_failed", step=name)


async def _cancelled(task: asyncio.Task[object]) -> None:
    task.cancel()
    await asyncio.wait({task})


def _name(resource: object) -> str:
    """Name a generator-made context manager by its function, which tells more than its class."""
    function = getattr(resource, "func", None)
    return getattr(function, "__qualname__", type(resource).__qualname__)
