"""One trace through gRPC and Kafka headers, what is exported of it, and the end of a process."""

import socket
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import asyncpg
import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue
from opentelemetry import trace
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from chassis import semantics
from chassis.api_errors import not_found
from chassis.telemetry import Telemetry, TelemetrySettings, context_from_headers, inject_headers, setup
from tests.integration.chassis.echo import Echo, running

pytestmark = pytest.mark.integration
SECRET = "anna@example.org wrote this"


class Recorded:
    """What left the process so far; providers are global, so there is one for all tests."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.reader = InMemoryMetricReader()
        self.telemetry: Telemetry = setup(
            TelemetrySettings(), "tested", span_exporters=[self.exporter], metric_readers=[self.reader]
        )

    def spans(self) -> Sequence[ReadableSpan]:
        self.telemetry.tracer_provider.force_flush()
        return self.exporter.get_finished_spans()

    def named(self, name: str) -> ReadableSpan:
        (found,) = [span for span in self.spans() if span.name == name]
        return found


@pytest.fixture(scope="module")
def session() -> Recorded:
    recorded = Recorded()
    assert trace.get_tracer_provider() is recorded.telemetry.tracer_provider, "another test has made the providers"
    return recorded


@pytest.fixture
def recorded(session: Recorded) -> Recorded:
    session.spans()
    session.exporter.clear()
    return session


async def test_a_trace_runs_from_a_call_through_kafka_headers(recorded: Recorded) -> None:
    written: list[tuple[str, bytes]] = []

    async def write(request: StringValue, _context: Any) -> StringValue:
        written.extend(inject_headers())
        return request

    tracer = trace.get_tracer("test")
    async with running(Echo(say=write)) as server:
        with tracer.start_as_current_span("caller"):
            await server.say("hello")
    with tracer.start_as_current_span("process", context=context_from_headers(written)):
        pass
    spans = [recorded.named(name) for name in ("caller", "echo.v1.Echo/Say", "process")]
    assert len({span.context.trace_id for span in spans}) == 1
    assert [span.parent and span.parent.span_id for span in spans[1:]] == [s.context.span_id for s in spans[:2]]


async def test_a_call_says_what_it_was_and_how_it_ended(recorded: Recorded) -> None:
    async def fail(_request: StringValue, _context: Any) -> StringValue:
        raise not_found("drafts/1")

    async with running(Echo(say=fail)) as server:
        with pytest.raises(Exception, match=r"There is no drafts/1"):
            await server.say("")
    span = recorded.named("echo.v1.Echo/Say")
    assert span.kind is SpanKind.SERVER
    assert dict(span.attributes or {}) == {
        "rpc.system.name": "grpc",
        "rpc.method": "echo.v1.Echo/Say",
        "rpc.response.status_code": "NOT_FOUND",
        "error.type": "RESOURCE_NOT_FOUND",
        "ascolto.tenant": "acme",
    }


async def test_durations_of_calls_are_measured(recorded: Recorded) -> None:
    async with running(Echo()) as server:
        await server.say("hello")
    data = recorded.reader.get_metrics_data()
    assert data is not None
    found = [
        metric
        for resource in data.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
        if metric.name == semantics.RPC_SERVER_CALL_DURATION
    ]
    assert [metric.unit for metric in found] == ["s"]


async def test_no_text_leaves_with_a_span(recorded: Recorded) -> None:
    async def fail(request: StringValue, _context: Any) -> StringValue:
        raise RuntimeError(request.value)

    with suppress(ValueError), trace.get_tracer("test").start_as_current_span("careless") as span:
        span.set_attribute("post.text", SECRET)
        span.add_event("careless", {"author": SECRET})
        raise ValueError(SECRET)
    async with running(Echo(say=fail)) as server:
        with pytest.raises(Exception, match="error id"):
            await server.say(SECRET)
    exported = [span.to_json() for span in recorded.spans()]
    assert len(exported) >= 2
    assert not [text for text in exported if "anna" in text]


async def test_a_database_call_is_a_span_without_its_parameters_and_polling_is_none(
    recorded: Recorded, database_dsn: str
) -> None:
    connection = await asyncpg.connect(database_dsn)
    try:
        await connection.fetchval("SELECT 'polling', $1::text", SECRET)
        with trace.get_tracer("test").start_as_current_span("work"), pytest.raises(asyncpg.PostgresError):
            await connection.fetchval("SELECT $1::text::int", SECRET)
    finally:
        await connection.close()
    spans = {span.name: span for span in recorded.spans()}
    assert spans.keys() == {"work", "SELECT"}
    attributes = spans["SELECT"].attributes or {}
    assert attributes["db.query.text"] == "SELECT $1::text::int"
    assert attributes["db.system.name"] == "postgresql"
    assert "anna" not in spans["SELECT"].to_json() + spans["work"].to_json()


class _Stuck(SpanExporter):
    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:  # noqa: ARG002
        time.sleep(30)
        return SpanExportResult.FAILURE

    def shutdown(self) -> None:
        time.sleep(30)


@pytest.fixture
def unreachable() -> Iterator[str]:
    """A collector that takes connections and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@pytest.mark.usefixtures("session")
async def test_a_stuck_exporter_does_not_hold_up_the_end() -> None:
    telemetry = setup(TelemetrySettings(flush_timeout_seconds=0.3), "stuck", span_exporters=[_Stuck()])
    telemetry.tracer_provider.get_tracer("test").start_span("last").end()
    before = time.monotonic()
    await telemetry.shutdown()
    assert time.monotonic() - before < 10


@pytest.mark.usefixtures("session")
async def test_an_unreachable_collector_does_not_hold_up_the_end(unreachable: str) -> None:
    settings = TelemetrySettings(otlp_endpoint=unreachable, flush_timeout_seconds=0.5)
    telemetry = setup(settings, "unreachable")
    telemetry.tracer_provider.get_tracer("test").start_span("last").end()
    before = time.monotonic()
    await telemetry.shutdown()
    assert time.monotonic() - before < 10


@asynccontextmanager
async def collector(received: list[ExportTraceServiceRequest]) -> AsyncIterator[str]:
    async def export(request: ExportTraceServiceRequest, _context: Any) -> ExportTraceServiceResponse:
        received.append(request)
        return ExportTraceServiceResponse()

    handler = grpc.unary_unary_rpc_method_handler(
        export, ExportTraceServiceRequest.FromString, ExportTraceServiceResponse.SerializeToString
    )
    service = "opentelemetry.proto.collector.trace.v1.TraceService"
    server = grpc.aio.server(handlers=[grpc.method_handlers_generic_handler(service, {"Export": handler})])
    port = server.add_insecure_port("127.0.0.1:0")
    await server.start()
    yield f"http://127.0.0.1:{port}"
    await server.stop(None)


@pytest.mark.usefixtures("session")
async def test_the_end_of_a_process_sends_the_last_span_by_otlp() -> None:
    received: list[ExportTraceServiceRequest] = []
    async with collector(received) as endpoint:
        async with setup(TelemetrySettings(otlp_endpoint=endpoint), "ending") as telemetry:
            telemetry.tracer_provider.get_tracer("test").start_span("last").end()
        (resource_spans,) = received[0].resource_spans
    resource = {each.key: each.value.string_value for each in resource_spans.resource.attributes}
    assert (resource["service.name"], resource["service.namespace"]) == ("ending", "ascolto")
    assert [span.name for scope in resource_spans.scope_spans for span in scope.spans] == ["last"]


@pytest.mark.usefixtures("session")
async def test_without_an_endpoint_nothing_is_recorded_and_context_still_travels() -> None:
    async with setup(TelemetrySettings(), "quiet") as telemetry:
        span = telemetry.tracer_provider.get_tracer("test").start_span("work")
        assert not span.is_recording()
        with trace.use_span(span):
            (header,) = inject_headers()
    assert f"{span.get_span_context().trace_id:032x}" in header[1].decode()
