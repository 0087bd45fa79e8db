"""Interceptor: one principal has only so many streams open, because each holds memory for a slow reader."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chassis.api_errors import ChassisReason, resource_exhausted
from chassis.grpc_server.call import Call, Interceptor

_OPEN_STREAMS = 256
"""Health watches and reflection together, whoever opens them."""


def stream_limit(max_streams_per_principal: int) -> Interceptor:
    """Refuse streams beyond the limit with RESOURCE_EXHAUSTED."""
    streams: Counter[tuple[str, str]] = Counter()

    @asynccontextmanager
    async def intercept(call: Call) -> AsyncIterator[None]:
        if call.unary:
            yield
            return
        owner = (call.principal.tenant, call.principal.subject) if call.principal else ("", "")
        allowed = max_streams_per_principal if call.principal else _OPEN_STREAMS
        if streams[owner] >= allowed:
            message = f"You have {allowed} streams open, which is the limit: close one first."
            raise resource_exhausted(ChassisReason.TOO_MANY_STREAMS, message)
        streams[owner] += 1
        try:
            yield
        finally:
            streams[owner] -= 1
            if not streams[owner]:
                del streams[owner]

    return intercept
