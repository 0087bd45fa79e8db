"""The standard gRPC health service over the checks of `chassis.health`."""

import asyncio
from collections.abc import AsyncIterator, Collection
from typing import Any

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from chassis.grpc_server.call import ServicerContext
from chassis.health import Health, Reasons

LIVENESS = frozenset({"", "liveness"})
READINESS = "readiness"
DEGRADATION = "degradation"

_WATCH_POLL_SECONDS = 0.5

_SERVING = health_pb2.HealthCheckResponse.SERVING
_NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
_SERVICE_UNKNOWN = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN


class HealthServicer(health_pb2_grpc.HealthServicer):
    """Answers with the state of the moment.

    "" and "liveness" say whether to restart the process; "readiness" and the names of the services say whether to
    send it work. A draining process is alive and not ready. "degradation" is for people: not serving while something
    works less well than it should. The trailing metadata `reason` says what, for every name.
    """

    def __init__(self, health: Health, services: Collection[str], draining: asyncio.Event) -> None:
        self._health = health
        self._readiness_names = frozenset({READINESS, *services})
        self._draining = draining

    async def Check(  # noqa: N802 - the name stands in the protocol
        self, request: health_pb2.HealthCheckRequest, context: ServicerContext
    ) -> health_pb2.HealthCheckResponse:
        """The state of one name, for probes; NOT_FOUND for a name that is not served here."""
        reasons = self._reasons(request.service)
        if reasons is None:
            await context.abort(grpc.StatusCode.NOT_FOUND, f"Ask for one of: {self._known_names()}.")
        context.set_trailing_metadata(tuple(("reason", _ascii(f"{name}: {why}")) for name, why in reasons.items()))
        return health_pb2.HealthCheckResponse(status=_NOT_SERVING if reasons else _SERVING)

    async def Watch(  # noqa: N802 - the name stands in the protocol
        self,
        request: health_pb2.HealthCheckRequest,
        context: ServicerContext,  # noqa: ARG002
    ) -> AsyncIterator[health_pb2.HealthCheckResponse]:
        """Every change of state of one name, for client-side load balancing."""
        last: Any = None
        while True:
            reasons = self._reasons(request.service)
            status = _SERVICE_UNKNOWN if reasons is None else _NOT_SERVING if reasons else _SERVING
            if status != last:
                yield health_pb2.HealthCheckResponse(status=status)
                last = status
            if self._draining.is_set():
                return
            await self._next_look()

    def _known_names(self) -> str:
        return ", ".join(sorted(self._readiness_names | {"liveness", DEGRADATION}))

    def _reasons(self, name: str) -> Reasons | None:
        """Why `name` is not as it should be; None where nothing of that name is served here."""
        if name in LIVENESS:
            return self._health.live()[1]
        if name == DEGRADATION:
            return self._health.degraded()
        if name not in self._readiness_names:
            return None
        draining = {"server": "draining"} if self._draining.is_set() else {}
        return draining | self._health.ready()[1]

    async def _next_look(self) -> None:
        try:
            async with asyncio.timeout(_WATCH_POLL_SECONDS):
                await self._draining.wait()
        except TimeoutError:
            return


def _ascii(reason: str) -> str:
    """Make a reason fit for metadata, which is printable ASCII."""
    return "".join(each if " " <= each <= "~" else "?" for each in reason)
