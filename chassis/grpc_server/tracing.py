"""Interceptor: a server span and a duration per call, in the trace of the caller."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import grpc
from opentelemetry import context as otel_context
from opentelemetry import metrics, trace
from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, Status, StatusCode

from chassis import semantics
from chassis.api_errors import ApiError
from chassis.grpc_server.call import Call
from chassis.telemetry.propagation import PROPAGATOR

_tracer = trace.get_tracer(__name__)
_duration = metrics.get_meter(__name__).create_histogram(
    semantics.RPC_SERVER_CALL_DURATION,
    unit="s",
    description="How long calls took.",
    explicit_bucket_boundaries_advisory=semantics.DURATION_BUCKETS_SECONDS,
)
_OUR_FAULT = frozenset(
    {
        grpc.StatusCode.UNKNOWN,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.UNIMPLEMENTED,
        grpc.StatusCode.INTERNAL,
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DATA_LOSS,
    }
)
"""The statuses that make a server span an error, as the semantic conventions say."""


@asynccontextmanager
async def tracing(call: Call) -> AsyncIterator[None]:
    """Continue the caller's trace; the probes' calls are not worth a span."""
    if call.is_open:
        yield
        return
    started = time.perf_counter()
    attributes = {semantics.RPC_SYSTEM_NAME: "grpc", semantics.RPC_METHOD: call.method}
    with _remote_parent(call), _span(call.method, attributes) as span:
        status, reason = grpc.StatusCode.OK, ""
        try:
            yield
        except ApiError as error:
            status, reason = error.status, error.reason
            raise
        except asyncio.CancelledError:
            status = grpc.StatusCode.CANCELLED
            raise
        finally:
            attributes[semantics.RPC_RESPONSE_STATUS_CODE] = status.name
            if status is not grpc.StatusCode.OK:
                attributes[semantics.ERROR_TYPE] = reason or status.name
            span.set_attributes(attributes)
            if status in _OUR_FAULT:
                span.set_status(Status(StatusCode.ERROR))
            if call.principal is not None:
                span.set_attribute(semantics.ASCOLTO_TENANT, call.principal.tenant)
            _duration.record(time.perf_counter() - started, attributes)


@contextmanager
def _remote_parent(call: Call) -> Iterator[None]:
    carrier = {name: value for name in PROPAGATOR.fields if (value := call.metadata(name)) is not None}
    token = otel_context.attach(PROPAGATOR.extract(carrier, Context()))
    try:
        yield
    finally:
        otel_context.detach(token)


@contextmanager
def _span(name: str, attributes: dict[str, str]) -> Iterator[trace.Span]:
    with _tracer.start_as_current_span(
        name,
        kind=SpanKind.SERVER,
        attributes=attributes,
        record_exception=False,
        set_status_on_exception=False,
    ) as span:
        yield span
