"""Spans and metrics of the batches: one span per batch with links, because a span per record costs a third."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice

from opentelemetry import metrics, trace
from opentelemetry.trace import Link, Span, SpanContext, SpanKind, TraceFlags

from chassis.kafka import semantics
from chassis.messages import Headers

MAX_LINKS = 100
TRACEPARENT = "traceparent"
_TRACEPARENT_PARTS = 4

_tracer = trace.get_tracer(semantics.SCOPE)
_meter = metrics.get_meter(semantics.SCOPE)
_consumed = _meter.create_counter(semantics.CONSUMED, unit="{message}")
_dead_lettered = _meter.create_counter(semantics.DEAD_LETTERED, unit="{message}")
_retried = _meter.create_counter(semantics.RETRIED, unit="{message}")
_duration = _meter.create_histogram(semantics.PROCESS_DURATION, unit="s")
_lag = _meter.create_gauge(semantics.LAG, unit="{message}")


def start_span(topics: Sequence[str], group: str, headers: Iterable[Headers], records: int) -> Span:
    """The span of one batch, linked to the traces that its first records belong to."""
    attributes: dict[str, str | int] = {
        semantics.SYSTEM: semantics.SYSTEM_KAFKA,
        semantics.OPERATION_NAME: semantics.PROCESS,
        semantics.OPERATION_TYPE: semantics.PROCESS,
        semantics.GROUP: group,
        semantics.BATCH_RECORDS: records,
    }
    name = semantics.PROCESS
    if len(topics) == 1:
        name = f"{semantics.PROCESS} {topics[0]}"
        attributes[semantics.DESTINATION] = topics[0]
    links = list(links_of(headers))
    return _tracer.start_span(name, kind=SpanKind.CONSUMER, attributes=attributes, links=links)


def links_of(headers: Iterable[Headers]) -> Iterator[Link]:
    """A link for each trace among the records, neighbours of one trace once, at most MAX_LINKS."""
    return islice(_all_links(headers), MAX_LINKS)


def _all_links(headers: Iterable[Headers]) -> Iterator[Link]:
    seen = None
    for of_record in headers:
        for name, value in of_record:
            if name == TRACEPARENT and value != seen:
                seen = value
                if context := parse_traceparent(value):
                    yield Link(context)


def parse_traceparent(value: bytes) -> SpanContext | None:
    """The W3C trace context in a header, or None when it is not one."""
    parts = value.split(b"-")
    if len(parts) < _TRACEPARENT_PARTS:
        return None
    try:
        trace_id, span_id, flags = (int(part, 16) for part in parts[1:4])
    except ValueError:
        return None
    context = SpanContext(trace_id, span_id, is_remote=True, trace_flags=TraceFlags(flags & 0xFF))
    return context if context.is_valid else None


def traceparent_of(span: Span) -> Headers:
    """The header that makes what is written a child of `span`; none when nothing is traced."""
    context = span.get_span_context()
    if not context.is_valid:
        return ()
    value = f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
    return ((TRACEPARENT, value.encode()),)


def count_batch(group: str, consumed: int, duration_seconds: float) -> None:
    """One batch is done."""
    attributes = {semantics.GROUP: group}
    _consumed.add(consumed, attributes)
    _duration.record(duration_seconds, attributes)


def count_retried(group: str, records: int, error_type: str) -> None:
    """`records` will be tried again after an error of `error_type`."""
    _retried.add(records, {semantics.GROUP: group, semantics.ERROR_TYPE: error_type})


def count_dead_lettered(group: str, topic: str, error_type: str) -> None:
    """One record of `topic` was dead-lettered for `error_type`."""
    attributes = {semantics.GROUP: group, semantics.DESTINATION: topic, semantics.ERROR_TYPE: error_type}
    _dead_lettered.add(1, attributes)


def report_lag(group: str, lag: int) -> None:
    """The records that the assigned partitions of this process still hold for `group`."""
    _lag.set(lag, {semantics.GROUP: group})
