"""One span per batch with links; what is in a header never breaks it."""

import pytest
from opentelemetry.trace import INVALID_SPAN, NonRecordingSpan

from chassis.kafka import telemetry

PARENT = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_a_trace_context_survives_the_headers() -> None:
    context = telemetry.parse_traceparent(PARENT)
    assert context is not None
    assert telemetry.traceparent_of(NonRecordingSpan(context)) == (("traceparent", PARENT),)


@pytest.mark.parametrize(
    "value", [b"", b"\xff\xfe", b"00-zz-yy-01", b"00-0-0-00", b"00-0af7651916cd43dd8448eb211c80319c", b"-" * 99]
)
def test_what_is_no_trace_context_is_left_out(value: bytes) -> None:
    assert telemetry.parse_traceparent(value) is None


def test_without_a_trace_no_header_is_added() -> None:
    assert telemetry.traceparent_of(INVALID_SPAN) == ()


def test_links_are_capped_and_neighbours_of_one_trace_are_linked_once() -> None:
    headers = [[("traceparent", b"00-%032x-%016x-01" % (n, n))] for n in range(1, 300) for _ in range(2)]
    links = list(telemetry.links_of(headers))
    assert [link.context.trace_id for link in links] == list(range(1, telemetry.MAX_LINKS + 1))
