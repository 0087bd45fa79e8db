"""Interceptor: every call has a verified principal, except those that probes and tools make."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chassis.auth import Authenticator, acting_as
from chassis.grpc_server.call import Call, Interceptor


def authentication(authenticator: Authenticator) -> Interceptor:
    """Set `current_principal` from the bearer token of the call."""

    @asynccontextmanager
    async def intercept(call: Call) -> AsyncIterator[None]:
        if not call.is_open:
            call.principal = await authenticator.authenticate(call.metadata("authorization"))
        with acting_as(call.principal):
            yield

    return intercept
