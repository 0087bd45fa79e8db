"""Runs a coroutine beside a test, on a thread and a loop of its own, until the test is done with it."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

import uvloop

Main = Callable[[asyncio.Event], Coroutine[Any, Any, None]]
"""Told by the event to come to its end."""


@contextmanager
def in_background(main: Main, name: str) -> Iterator[None]:
    """Run `main` during the block; what it raises is raised at the block's end."""
    worker = _Worker(main)
    thread = threading.Thread(target=worker.run, name=name, daemon=True)
    thread.start()
    worker.started.wait()
    try:
        yield
    finally:
        worker.stop()
        thread.join()
    if worker.error is not None:
        raise worker.error


class _Worker:
    def __init__(self, main: Main) -> None:
        self.started = threading.Event()
        self.error: BaseException | None = None
        self._main = main
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopping = asyncio.Event()

    def run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                runner.run(self._serve())
        except BaseException as error:  # noqa: BLE001 - raised again by the thread that waits
            self.error = error
        finally:
            self._loop = None

    def stop(self) -> None:
        if (loop := self._loop) is not None:
            loop.call_soon_threadsafe(self._stopping.set)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self.started.set()
        await self._main(self._stopping)
