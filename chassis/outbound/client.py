"""The one HTTP client for calls to the outside: bounded in time and size, and kept to public addresses."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy
from types import TracebackType
from typing import Final, NamedTuple, Self

import httpcore
import httpx

from chassis.outbound.addresses import Forbidden, check_url, dial, resolve
from chassis.outbound.body import is_packed, read_body
from chassis.outbound.redirects import redirected

CONNECT_SECONDS: Final = 5.0
TOTAL_SECONDS: Final = 15.0
MAX_BODY_BYTES: Final = 5 * 1024 * 1024
_MAX_REDIRECTS: Final = 3
_IDLE_SECONDS: Final = 30.0


class Answer(NamedTuple):
    """What came back, whatever its status."""

    status: int
    headers: httpx.Headers
    body: bytes
    """Inflated."""
    url: str
    """Where redirects led."""


class OutboundClient:
    """Shared by a process; `local` is whether the profile is local, where loopback may be called, also in the clear.

    Keeps no cookies and reads neither proxies nor passwords from the environment: two tenants may call one host.
    """

    def __init__(
        self, *, local: bool = False, user_agent: str = "Ascolto", max_body_bytes: int = MAX_BODY_BYTES
    ) -> None:
        self._local = local
        self._max_body_bytes = max_body_bytes
        self._tls = ssl.create_default_context()
        self._http = httpx.AsyncClient(
            transport=_GuardedTransport(self._tls, local=local),
            headers={"user-agent": user_agent, "accept-encoding": "gzip"},
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            follow_redirects=False,
            timeout=httpx.Timeout(TOTAL_SECONDS, connect=CONNECT_SECONDS),
            trust_env=False,
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._http.aclose()

    async def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        content: bytes | None = None,
    ) -> Answer:
        """Call and read the whole answer, within 15 s; a redirect carries no secret to another host.

        Raises `httpx.HTTPError` (`TooLarge` among them), `Forbidden`, `TimeoutError` or another OSError.
        """
        async with asyncio.timeout(TOTAL_SECONDS):
            # What `params` says replaces a query of the URL, so an absent one must stay absent.
            query = params or None
            request = self._http.build_request(method, url, headers=headers, params=query, content=content)
            async with self._opened(request) as response:
                body = await read_body(response, self._max_body_bytes)
                return Answer(response.status_code, response.headers, body, str(response.url))

    @asynccontextmanager
    async def stream(
        self, url: str, *, headers: Mapping[str, str] | None = None, silence_seconds: float
    ) -> AsyncIterator[httpx.Response]:
        """GET an answer that does not end; raises as `request` does, and where nothing comes for `silence_seconds`.

        A packed one is refused, as one chunk of it may inflate to any size; the body of an error is not for reading.
        """
        timeout = httpx.Timeout(silence_seconds, connect=CONNECT_SECONDS)
        given = {**(headers or {}), "accept-encoding": "identity"}
        async with self._opened(self._http.build_request("GET", url, headers=given, timeout=timeout)) as response:
            if is_packed(response) and not response.is_error:
                raise httpx.DecodingError("the stream is packed, which was not asked for")
            yield response

    @asynccontextmanager
    async def _opened(self, request: httpx.Request) -> AsyncIterator[httpx.Response]:
        """Send and follow redirects, whose bodies are left unread: httpx would read them whole, and inflate them."""
        for _ in range(_MAX_REDIRECTS + 1):
            response = await self._http.send(request, stream=True)
            try:
                if response.next_request is None:
                    yield response
                    return
            finally:
                await response.aclose()
            request = redirected(request, response.next_request)
        raise httpx.TooManyRedirects(f"more than {_MAX_REDIRECTS} redirects", request=request)

    async def connect(self, url: str, *, default_port: int) -> "Dialled":
        """Open the TCP connection for a protocol of its own (wss, imaps) under the same rules; raises OSError."""
        check_url(url, local=self._local)
        target = httpx.URL(url)
        async with asyncio.timeout(CONNECT_SECONDS):
            connection = await dial(target.host, target.port or default_port, local=self._local)
        secure = target.scheme in {"wss", "imaps", "https"}
        return Dialled(connection, target.host, self._tls if secure else None)


class Dialled(NamedTuple):
    """An open connection, which its receiver closes; `tls` is None only for loopback in the local profile."""

    connection: socket.socket
    host: str
    """Whom the certificate must name."""
    tls: ssl.SSLContext | None


class _GuardedTransport(httpx.AsyncHTTPTransport):
    """Checks every request, and so every redirect, and connects to the address that it checked."""

    def __init__(self, tls: ssl.SSLContext, *, local: bool) -> None:
        super().__init__(verify=tls, trust_env=False)
        self._local = local
        # httpx has no argument for the network beneath its pool, so the pool is ours. It has no limit: streams hold
        # their connections for ever, and a call that waited for one of them would look like a host that is away.
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=tls,
            max_connections=None,
            keepalive_expiry=_IDLE_SECONDS,
            network_backend=_GuardedNetwork(local=local),
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        check_url(str(request.url), local=self._local)
        return await super().handle_async_request(request)


class _GuardedNetwork(httpcore.AnyIOBackend):
    """Resolves once and hands the address down; the TLS above still names the host."""

    def __init__(self, *, local: bool) -> None:
        self._local = local

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - the signature of httpcore
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        async with asyncio.timeout(timeout):
            addresses = await resolve(host, port, local=self._local)
        failure: Exception = Forbidden(f"{host}: has no address")
        for address in addresses:
            try:
                return await super().connect_tcp(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        raise failure
