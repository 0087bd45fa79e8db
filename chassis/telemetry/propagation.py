"""W3C trace context in the headers of Kafka records; baggage is not carried, because anyone could put text into it."""

from collections.abc import Iterable, Sequence

from opentelemetry.context import Context
from opentelemetry.propagators.textmap import Getter
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

Headers = Sequence[tuple[str, bytes]]

PROPAGATOR = TraceContextTextMapPropagator()


class _HeaderGetter(Getter[Iterable[tuple[str, bytes]]]):
    def get(self, carrier: Iterable[tuple[str, bytes]], key: str) -> list[str] | None:
        return [value.decode("ascii", "replace") for name, value in carrier if name == key and value] or None

    def keys(self, carrier: Iterable[tuple[str, bytes]]) -> list[str]:
        return [name for name, _ in carrier]


_GETTER = _HeaderGetter()


def inject_headers(context: Context | None = None) -> list[tuple[str, bytes]]:
    """`traceparent` (and `tracestate`) of the current span, or of `context`; nothing where there is no span."""
    carrier: dict[str, str] = {}
    PROPAGATOR.inject(carrier, context)
    return [(name, value.encode("ascii", "ignore")) for name, value in carrier.items()]


def context_from_headers(headers: Headers) -> Context:
    """The context of the span that wrote `headers`; an empty one where they hold none or a damaged one."""
    return PROPAGATOR.extract(headers, Context(), _GETTER)
