"""Makes the tracer and meter providers of a process, and sends what they still hold when it stops."""

import asyncio
import os
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from types import TracebackType
from typing import Self
from uuid import uuid4

import structlog
from opentelemetry import metrics, propagate, trace
from opentelemetry.instrumentation.asyncpg import AsyncPGInstrumentor
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader, PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, ParentBased, Sampler

from chassis.telemetry.propagation import PROPAGATOR
from chassis.telemetry.redaction import TextFreeExporter
from chassis.telemetry.sampling import UnitsOfWork
from chassis.telemetry.settings import TelemetrySettings

_STABLE_DATABASE_NAMES = ("OTEL_SEMCONV_STABILITY_OPT_IN", "database")

_log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Telemetry:
    """The providers of this process; as an async context manager it shuts down when the block is left."""

    tracer_provider: TracerProvider
    meter_provider: MeterProvider
    flush_timeout_seconds: float

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.shutdown()

    async def shutdown(self) -> None:
        """Send what is waiting, within the deadline; an unreachable collector never keeps the process alive."""
        sent = await asyncio.gather(
            _within(self.tracer_provider.shutdown, self.flush_timeout_seconds),
            _within(self.meter_provider.shutdown, self.flush_timeout_seconds),
        )
        if not all(sent):
            _log.warning("telemetry_not_flushed", timeout_seconds=self.flush_timeout_seconds)


def setup(
    settings: TelemetrySettings,
    service_name: str,
    *,
    span_exporters: Sequence[SpanExporter] = (),
    metric_readers: Sequence[MetricReader] = (),
) -> Telemetry:
    """Make the providers global and instrument asyncpg; call it once, first thing in a process.

    Without an endpoint (and without exporters given here) spans are not recorded, yet trace context still travels.
    """
    resource = Resource.create(
        {
            "service.name": service_name,
            "service.namespace": "ascolto",
            "service.instance.id": str(uuid4()),
            "service.version": version("ascolto"),
            "deployment.environment.name": settings.deployment,
        }
    )
    exporters = [*span_exporters, *_otlp_span_exporters(settings)]
    tracer_provider = TracerProvider(
        sampler=_sampler(settings, recording=bool(exporters)), resource=resource, shutdown_on_exit=False
    )
    for exporter in exporters:
        tracer_provider.add_span_processor(BatchSpanProcessor(TextFreeExporter(exporter)))
    readers = [*metric_readers, *_otlp_metric_readers(settings)]
    meter_provider = MeterProvider(metric_readers=readers, resource=resource, shutdown_on_exit=False)
    _install(tracer_provider, meter_provider)
    return Telemetry(tracer_provider, meter_provider, settings.flush_timeout_seconds)


def _install(tracer_provider: TracerProvider, meter_provider: MeterProvider) -> None:
    trace.set_tracer_provider(tracer_provider)
    metrics.set_meter_provider(meter_provider)
    propagate.set_global_textmap(PROPAGATOR)
    os.environ.setdefault(*_STABLE_DATABASE_NAMES)
    instrumentor = AsyncPGInstrumentor()  # type: ignore[no-untyped-call]
    if not instrumentor.is_instrumented_by_opentelemetry:
        instrumentor.instrument(tracer_provider=tracer_provider)


def _sampler(settings: TelemetrySettings, *, recording: bool) -> Sampler:
    return ParentBased(UnitsOfWork(settings.sampled_ratio)) if recording else ALWAYS_OFF


def _otlp_span_exporters(settings: TelemetrySettings) -> list[SpanExporter]:
    if settings.otlp_endpoint is None:
        return []
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter  # noqa: PLC0415 - slow import

    return [OTLPSpanExporter(endpoint=settings.otlp_endpoint, timeout=settings.flush_timeout_seconds)]


def _otlp_metric_readers(settings: TelemetrySettings) -> list[MetricReader]:
    if settings.otlp_endpoint is None:
        return []
    from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import (  # noqa: PLC0415 - slow import
        OTLPMetricExporter,
    )

    exporter = OTLPMetricExporter(endpoint=settings.otlp_endpoint, timeout=settings.flush_timeout_seconds)
    interval_ms = settings.metrics_interval_seconds * 1000
    return [PeriodicExportingMetricReader(exporter, export_interval_millis=interval_ms)]


async def _within(work: Callable[[], object], seconds: float) -> bool:
    """Run `work` on a daemon thread, which cannot hold up the end of the process as an executor's thread would."""
    loop, done = asyncio.get_running_loop(), asyncio.Event()

    def run() -> None:
        try:
            work()
        finally:
            with suppress(RuntimeError):  # the loop is closed: the deadline has passed and nobody waits
                loop.call_soon_threadsafe(done.set)

    threading.Thread(target=run, name="telemetry-flush", daemon=True).start()
    try:
        async with asyncio.timeout(seconds):
            await done.wait()
    except TimeoutError:
        return False
    return True
