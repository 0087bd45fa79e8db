"""The last gate of spans: only catalogued attributes leave the process, and no message of an exception."""

from collections.abc import Sequence

import structlog
from opentelemetry.sdk.trace import Event, ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import Link, Status
from opentelemetry.util.types import Attributes

from chassis.semantics import SPAN_ATTRIBUTES

_DROPPED_ON_PURPOSE = frozenset(
    {
        "db.user",
        "exception.escaped",
        "exception.message",
        "exception.stacktrace",
    }
)

_log = structlog.get_logger(__name__)


class TextFreeExporter(SpanExporter):
    """Hands spans on with the attributes of `chassis.semantics.SPAN_ATTRIBUTES` alone.

    Libraries record exceptions with their messages, and those quote rows and requests. An allow-list cannot be
    outrun by a library's next release. A name that is dropped is logged once, so that a missing entry is noticed.
    """

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._reported: set[str] = set()

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send what is left of `spans`."""
        return self._exporter.export([self._redacted(span) for span in spans])

    def shutdown(self) -> None:
        """Close the exporter behind this one."""
        self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Flush the exporter behind this one."""
        return self._exporter.force_flush(timeout_millis)

    def _redacted(self, span: ReadableSpan) -> ReadableSpan:
        return ReadableSpan(
            name=span.name,
            context=span.context,
            parent=span.parent,
            resource=span.resource,
            attributes=self._allowed(span.attributes),
            events=[Event(event.name, self._allowed(event.attributes), event.timestamp) for event in span.events],
            links=[Link(link.context, self._allowed(link.attributes)) for link in span.links],
            kind=span.kind,
            status=Status(span.status.status_code),
            start_time=span.start_time,
            end_time=span.end_time,
            instrumentation_scope=span.instrumentation_scope,
        )

    def _allowed(self, attributes: Attributes) -> Attributes:
        given = attributes or {}
        for name in given.keys() - SPAN_ATTRIBUTES - _DROPPED_ON_PURPOSE - self._reported:
            self._reported.add(name)
            _log.warning("span_attribute_dropped", attribute=name, remedy="name it in chassis/semantics.py")
        return {name: value for name, value in given.items() if name in SPAN_ATTRIBUTES}
