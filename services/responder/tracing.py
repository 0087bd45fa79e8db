"""Spans of the work that no request and no record starts: one per batch, linked to the traces that led to it."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Final

from opentelemetry import trace

from chassis.telemetry import context_from_headers

_MAX_LINKS: Final = 128
_tracer = trace.get_tracer("services.responder")


@contextmanager
def span(name: str, traceparents: Iterable[str | None] = ()) -> Iterator[None]:
    """Trace the block as `name`, with a link to each trace that it goes on from."""
    links = [_link(each) for each in {each for each in traceparents if each}][:_MAX_LINKS]
    with _tracer.start_as_current_span(name, links=links, record_exception=False):
        yield


def _link(traceparent: str) -> trace.Link:
    context = context_from_headers([("traceparent", traceparent.encode("ascii", "ignore"))])
    return trace.Link(trace.get_current_span(context).get_span_context())
