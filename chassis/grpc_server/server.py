"""The server of one process: builds it, serves while the block runs, and ends it without cutting calls."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from types import TracebackType
from typing import Self

import grpc
import structlog
from grpc_health.v1 import health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from chassis.auth import Authenticator
from chassis.errors import Crash
from chassis.grpc_server.access_log import access_log
from chassis.grpc_server.authentication import authentication
from chassis.grpc_server.call import OPEN_SERVICES
from chassis.grpc_server.deadlines import deadlines
from chassis.grpc_server.errors import error_mapping
from chassis.grpc_server.health import HealthServicer
from chassis.grpc_server.pipeline import Pipeline
from chassis.grpc_server.runtime import check_runtime
from chassis.grpc_server.settings import GrpcSettings
from chassis.grpc_server.streams import stream_limit
from chassis.grpc_server.tracing import tracing
from chassis.health import Health

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Service:
    """One service to serve: its full name ("package.v1.Service"), and the generated function with its servicer bound.

    `Service("a.v1.Greeter", partial(greeter_pb2_grpc.add_GreeterServicer_to_server, servicer))`
    """

    name: str
    add_to_server: Callable[[grpc.aio.Server], None]


class GrpcServer:
    """Async context manager: serves inside the block; leaving it drains.

    Draining says NOT_SERVING, waits for load balancers to notice, refuses new calls, and lets the running ones finish
    within the grace; streams learn of it through `draining()`.
    """

    def __init__(
        self,
        settings: GrpcSettings,
        services: Sequence[Service],
        authenticator: Authenticator,
        health: Health,
    ) -> None:
        self._settings = settings
        self._services = tuple(services)
        self._authenticator = authenticator
        self._health = health
        self._draining = asyncio.Event()
        self.port = settings.port
        """The port that is listened on, once the block has been entered."""

    async def __aenter__(self) -> Self:
        check_runtime()
        self._server = self._build()
        self.port = self._listen(self._server)
        await self._server.start()
        names = [service.name for service in self._services]
        _log.info("grpc_serving", host=self._settings.host, port=self.port, services=names)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._draining.set()
        try:
            await asyncio.sleep(self._settings.drain_seconds)
        finally:
            await self._server.stop(self._settings.stop_grace_seconds)
        _log.info("grpc_stopped", port=self.port)

    def _build(self) -> grpc.aio.Server:
        interceptors = (
            tracing,
            access_log,
            error_mapping,
            deadlines,
            authentication(self._authenticator),
            stream_limit(self._settings.max_streams_per_principal),
        )
        server = grpc.aio.server(
            interceptors=[Pipeline(interceptors, self._draining, self._settings.write_timeout_seconds)],
            options=self._settings.channel_options(),
        )
        names = [service.name for service in self._services]
        for service in self._services:
            service.add_to_server(server)
        health_pb2_grpc.add_HealthServicer_to_server(HealthServicer(self._health, names, self._draining), server)
        reflection.enable_server_reflection([*names, *OPEN_SERVICES], server)
        return server

    def _listen(self, server: grpc.aio.Server) -> int:
        address = f"{_bracketed(self._settings.host)}:{self._settings.port}"
        try:
            return self._add_port(server, address)
        except RuntimeError:
            message = f"cannot listen on {address}: is the port taken? Choose another with GRPC_HOST and GRPC_PORT"
            raise Crash(message) from None

    def _add_port(self, server: grpc.aio.Server, address: str) -> int:
        credentials = server_credentials(self._settings)
        if credentials is not None:
            return server.add_secure_port(address, credentials)
        if not _is_loopback(self._settings.host):
            _log.warning("grpc_without_tls", host=self._settings.host, remedy="GRPC_TLS_CERTIFICATE_FILE, or a mesh")
        return server.add_insecure_port(address)


def server_credentials(settings: GrpcSettings) -> grpc.ServerCredentials | None:
    """TLS from the files of the settings, or None where they name none; Crash where a file is missing."""
    if settings.tls_certificate_file is None and settings.tls_key_file is None:
        return None
    if settings.tls_certificate_file is None or settings.tls_key_file is None:
        message = "set both GRPC_TLS_CERTIFICATE_FILE and GRPC_TLS_KEY_FILE, or neither"
        raise Crash(message)
    try:
        pair = (settings.tls_key_file.read_bytes(), settings.tls_certificate_file.read_bytes())
    except OSError as error:
        message = f"cannot read {error.filename}: check GRPC_TLS_CERTIFICATE_FILE and GRPC_TLS_KEY_FILE"
        raise Crash(message) from None
    return grpc.ssl_server_credentials([pair])


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host
