"""The call in progress: what interceptors know of it and what servicers may ask."""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import grpc

from chassis.auth import Principal

ServicerContext = grpc.aio.ServicerContext[Any, Any]

OPEN_SERVICES = frozenset({"grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"})
"""What probes and tools may call without a token."""


@dataclass(slots=True)
class Call:
    """One call on its way through the interceptors."""

    method: str
    """Full name without the leading slash: "package.Service/Method"."""
    unary: bool
    context: ServicerContext
    draining: asyncio.Event
    principal: Principal | None = None

    @property
    def is_open(self) -> bool:
        """Whether this call needs neither token nor deadline."""
        return self.method.partition("/")[0] in OPEN_SERVICES

    def metadata(self, key: str) -> str | None:
        """The first value of a metadata key; None where the client sent none."""
        for name, value in self.context.invocation_metadata() or ():
            if name == key:
                return value if isinstance(value, str) else value.decode("ascii", "replace")
        return None


Interceptor = Callable[[Call], AbstractAsyncContextManager[None]]
"""What stands around every call: its first half runs before the servicer, its second half after."""

current_call: ContextVar[Call] = ContextVar("current_call")


def remaining_seconds() -> float | None:
    """What is left of the caller's deadline, for the timeouts of what this call asks others; None without one."""
    return current_call.get().context.time_remaining()


def draining() -> asyncio.Event:
    """Set when the server is about to stop: long streams then say where to resume, and end."""
    return current_call.get().draining
