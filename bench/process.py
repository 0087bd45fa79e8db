"""What every contestant's process has as a service has it: uvloop, its log lines, and traces that are recorded."""

import asyncio
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import uvloop
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult

from chassis.logging import configure
from chassis.settings import ProcessSettings
from chassis.telemetry import TelemetrySettings, setup

T = TypeVar("T")


class Dropping(SpanExporter):
    """Takes spans as a collector would, and forgets them."""

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:  # noqa: ARG002 - the interface
        """Take the spans."""
        return SpanExportResult.SUCCESS


def run(main: Coroutine[Any, Any, T]) -> T:
    """Run `main` as a service's process does."""
    configure(ProcessSettings(profile="local", log_format="json"), service="bench")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main)


@asynccontextmanager
async def traced() -> AsyncIterator[None]:
    """Record every span inside the block."""
    async with setup(TelemetrySettings(profile="local"), "bench", span_exporters=[Dropping()]):
        yield
