"""`run`: one asyncio program from its first line to its exit code."""

import asyncio
import gc
import os
import signal
import sys
import threading
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn

import structlog
import uvloop

from chassis.lifecycle.lifecycle import Lifecycle
from chassis.logging import configure
from chassis.settings import ProcessSettings, load

EXIT_CLEAN, EXIT_CRASH = 0, 1
_LAST_SECONDS = 3.0
_log = structlog.get_logger(__name__)

Main = Callable[[Lifecycle], Awaitable[None]]


def run(main: Main, *, name: str) -> NoReturn:
    """Run `main` as the process `name`, then exit: 0 after a clean stop, 1 after a crash, 78 for wrong settings.

    `main` enters resources, starts background tasks and returns; the process then serves until SIGTERM or
    SIGINT, the failure of a background task, or `Lifecycle.stop()` (which a program that ends by itself
    calls). Then it drains. A second signal exits at once with 128 + its number.
    """
    settings = load(ProcessSettings)
    configure(settings, service=name)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        code = runner.run(_live(main, settings.shutdown_grace_seconds))
    sys.exit(code)


async def _live(main: Main, grace_seconds: float) -> int:
    lifecycle = Lifecycle(grace_seconds=grace_seconds)
    _listen(lifecycle)
    _log.info("process_starting", pid=os.getpid())
    code = await _start(main, lifecycle)
    if code == EXIT_CLEAN:
        await lifecycle.stopped()
    _exit_anyway_after(grace_seconds + _LAST_SECONDS)
    await lifecycle.drain()
    if lifecycle.failures:
        code = EXIT_CRASH
    _log.info("process_stopped", exit_code=code)
    return code


async def _start(main: Main, lifecycle: Lifecycle) -> int:
    """Run `main` and answer the exit code so far; a stop during the start cancels it.

    It runs in the task that drains later: a context manager may insist on being left where it was entered.
    """
    stopper = asyncio.create_task(_cancel_when_stopped(lifecycle, asyncio.current_task()))
    try:
        await main(lifecycle)
    except asyncio.CancelledError:
        if not lifecycle.stopping:
            raise
    except SystemExit as exit_request:
        return exit_request.code if isinstance(exit_request.code, int) else EXIT_CRASH
    except Exception:  # noqa: BLE001 - whatever it is, what was entered must be left
        _log.exception("process_failed_to_start")
        return EXIT_CRASH
    finally:
        stopper.cancel()
    _spare_the_collector()
    _log.info("process_started")
    return EXIT_CLEAN


def _spare_the_collector() -> None:
    """Keep what the start made out of garbage collection, and collect less often.

    Batches of thousands of small objects set off collections that traverse every module loaded, again and
    again: without this they cost more than the work itself.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


async def _cancel_when_stopped(lifecycle: Lifecycle, task: asyncio.Task[Any] | None) -> None:
    await lifecycle.stopped()
    if task:
        task.cancel()


def _exit_anyway_after(seconds: float) -> None:
    """End the process even if a task refuses to be cancelled or the event loop is blocked."""
    timer = threading.Timer(seconds, _exit_anyway)
    timer.daemon = True
    timer.start()


def _exit_anyway() -> None:
    _log.error("process_did_not_stop", exit_code=EXIT_CRASH)
    os._exit(EXIT_CRASH)


def _listen(lifecycle: Lifecycle) -> None:
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _on_signal, lifecycle, number)
    loop.set_exception_handler(_on_stray_exception)


def _on_signal(lifecycle: Lifecycle, number: signal.Signals) -> None:
    if lifecycle.stopping:
        _log.warning("process_forced_to_exit", signal=number.name)
        os._exit(128 + number)
    _log.info("process_stopping", signal=number.name)
    lifecycle.stop()


def _on_stray_exception(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Log what asyncio found nobody awaiting, without its repr of the task, which quotes the exception."""
    _log.error("stray_exception", problem=context.get("message"), exc_info=context.get("exception"))
