"""What every contestant's process has as a service has it: its life cycle, its log lines, traces that are recorded."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import NoReturn

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from chassis import lifecycle
from chassis.lifecycle import Lifecycle
from chassis.telemetry import TelemetrySettings, setup


class Dropping(SpanExporter):
    """Takes spans as a collector would, and forgets them."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:  # noqa: ARG002 - the interface
        """Take the spans."""
        return SpanExportResult.SUCCESS


def run(main: Callable[[Lifecycle], Awaitable[None]]) -> NoReturn:
    """Run `main` as a service's process runs its own; see `chassis.lifecycle.run`."""
    os.environ.update(ASCOLTO_PROFILE="local", LOG_FORMAT="json")
    lifecycle.run(main, name="bench")


def say(line: str) -> None:
    """Tell the suite something: one line."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def stop_when_told(process: Lifecycle) -> None:
    """Stop the process at the end of its input, which is how a suite ends a contestant."""

    async def wait() -> None:
        await asyncio.to_thread(sys.stdin.read)
        process.stop()

    process.background(wait(), "end of input")


@asynccontextmanager
async def traced() -> AsyncIterator[None]:
    """Record every span inside the block."""
    async with setup(TelemetrySettings(profile="local"), "bench", span_exporters=[Dropping()]):
        yield
