"""Interceptor: a unary call says how long its caller will wait, so that nobody works for callers who have left."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import grpc

from chassis.api_errors import ApiError, ChassisReason
from chassis.grpc_server.call import Call


@asynccontextmanager
async def deadlines(call: Call) -> AsyncIterator[None]:
    """Refuse unary calls without a deadline; streams are bounded by the age of their connection."""
    if call.unary and not call.is_open and call.context.time_remaining() is None:
        raise ApiError(
            grpc.StatusCode.INVALID_ARGUMENT,
            ChassisReason.DEADLINE_REQUIRED,
            "Set a deadline on the call, such as 10 seconds (`timeout=10` in Python, `-max-time 10` in grpcurl).",
        )
    yield
