"""Trace context in headers, which traces are kept, and the allow-list of attributes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.sdk.trace.sampling import Decision
from opentelemetry.trace import SpanKind
from structlog.testing import capture_logs

from chassis.telemetry import TextFreeExporter, context_from_headers, inject_headers
from chassis.telemetry.sampling import UnitsOfWork


def test_the_context_of_a_span_comes_back_from_its_headers() -> None:
    with TracerProvider().get_tracer("test").start_as_current_span("writer") as span:
        headers = [("ce_id", b"1"), *inject_headers()]
    read = trace.get_current_span(context_from_headers(headers)).get_span_context()
    assert (read.trace_id, read.span_id) == (span.get_span_context().trace_id, span.get_span_context().span_id)


def test_without_a_span_there_are_no_headers() -> None:
    assert inject_headers() == []


@given(st.lists(st.tuples(st.sampled_from(["traceparent", "tracestate", "x"]), st.binary(max_size=60)), max_size=4))
def test_damaged_headers_give_an_empty_context(headers: list[tuple[str, bytes]]) -> None:
    read = trace.get_current_span(context_from_headers(headers)).get_span_context()
    assert not read.is_valid or any(name == "traceparent" for name, _ in headers)


@pytest.mark.parametrize(
    ("kind", "ratio", "kept"),
    [
        (SpanKind.SERVER, 1.0, True),
        (SpanKind.CONSUMER, 1.0, True),
        (SpanKind.CLIENT, 1.0, False),
        (SpanKind.SERVER, 0.0, False),
    ],
)
def test_polling_starts_no_trace(kind: SpanKind, ratio: float, kept: bool) -> None:  # noqa: FBT001
    decision = UnitsOfWork(ratio).should_sample(None, 1, "x", kind).decision
    assert (decision is Decision.RECORD_AND_SAMPLE) is kept


def test_a_dropped_attribute_is_reported_once() -> None:
    provider, exporter = TracerProvider(), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(TextFreeExporter(exporter)))
    with capture_logs() as lines:
        for _ in range(3):
            provider.get_tracer("t").start_span("s", attributes={"handle": "@x", "rpc.method": "m"}).end()
    assert [dict(span.attributes or {}) for span in exporter.get_finished_spans()] == [{"rpc.method": "m"}] * 3
    assert [line["attribute"] for line in lines] == ["handle"]
