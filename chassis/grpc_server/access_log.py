"""Interceptor: one canonical log line per call."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from chassis.api_errors import ApiError
from chassis.grpc_server.call import Call
from chassis.logging import Line, canonical

_log = structlog.get_logger(__name__)


@asynccontextmanager
async def access_log(call: Call) -> AsyncIterator[None]:
    """Log method, tenant, outcome and duration; probes are left out, because they say nothing all day."""
    if call.is_open:
        yield
        return
    with canonical(_log, "call", method=call.method) as line:
        try:
            yield
        except ApiError as error:
            line.bind(status=error.status.name, reason=error.reason)
            raise
        finally:
            _bind_tenant(line, call)


def _bind_tenant(line: Line, call: Call) -> None:
    if call.principal is not None:
        line.bind(tenant=call.principal.tenant)
