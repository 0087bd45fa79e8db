"""The trace that an event carries on: the W3C `traceparent` of the span that received it."""

from chassis.telemetry import inject_headers


def traceparent() -> str | None:
    """The current span's, for the headers of events; None where there is no span."""
    for name, value in inject_headers():
        if name == "traceparent":
            return value.decode("ascii")
    return None
