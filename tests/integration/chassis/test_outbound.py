"""The client for calls to the outside against real servers: redirects, sizes, cookies, names, and one resolution."""

import asyncio
import gzip
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from chassis.http_server import HttpSettings, serve_http
from chassis.outbound import Forbidden, OutboundClient, TooLarge

pytestmark = pytest.mark.integration


@pytest.fixture
async def url() -> AsyncIterator[str]:
    async with serve_http(_app(), HttpSettings(port=0, drain_seconds=0.5)) as server:
        yield f"http://127.0.0.1:{server.port}"


def _app() -> Starlette:
    async def hops(request: Request) -> Response:
        left = int(request.path_params["left"])
        return RedirectResponse(f"/hops/{left - 1}") if left else Response("there")

    async def elsewhere(request: Request) -> Response:
        return RedirectResponse(request.query_params["to"])

    async def bomb(_: Request) -> Response:
        return Response(gzip.compress(bytes(20_000_000)), headers={"content-encoding": "gzip"})

    async def seen(request: Request) -> Response:
        response = JSONResponse(dict(request.headers))
        response.set_cookie("session", "1")
        return response

    return Starlette(
        routes=[
            Route("/hops/{left}", hops),
            Route("/elsewhere", elsewhere),
            Route("/bomb", bomb),
            Route("/seen", seen),
        ]
    )


@pytest.fixture
async def outside() -> AsyncIterator[OutboundClient]:
    async with OutboundClient(local=True) as client:
        yield client


async def test_three_redirects_are_followed_and_no_fourth(url: str, outside: OutboundClient) -> None:
    assert (await outside.request("GET", f"{url}/hops/3")).body == b"there"
    with pytest.raises(httpx.TooManyRedirects):
        await outside.request("GET", f"{url}/hops/4")


@pytest.mark.parametrize(
    "to", ["https://10.0.0.1/", "http://example.com/", "https://169.254.169.254/latest", "ftp://a/"]
)
async def test_a_redirect_leads_nowhere_where_a_call_may_not_go(url: str, outside: OutboundClient, to: str) -> None:
    with pytest.raises((Forbidden, httpx.UnsupportedProtocol)):
        await outside.request("GET", f"{url}/elsewhere", params={"to": to})


async def test_what_proves_us_to_one_host_is_not_shown_to_another(url: str, outside: OutboundClient) -> None:
    async with serve_http(_app(), HttpSettings(port=0, drain_seconds=0.5)) as other:
        secret = {"authorization": "Bearer secret"}
        there = {"to": f"http://127.0.0.1:{other.port}/seen"}
        answer = await outside.request("GET", f"{url}/elsewhere", params=there, headers=secret)
    assert answer.status == 200
    assert b"secret" not in answer.body


async def test_a_small_answer_that_inflates_to_a_large_one_is_given_up(url: str, outside: OutboundClient) -> None:
    with pytest.raises(TooLarge):
        await outside.request("GET", f"{url}/bomb")


async def test_nothing_is_carried_from_one_call_to_the_next(
    url: str, outside: OutboundClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    for _ in range(2):
        answer = await outside.request("GET", f"{url}/seen")
    assert b"session" not in answer.body
    assert answer.headers["set-cookie"].startswith("session")


async def test_the_name_is_resolved_once_and_told_to_tls_and_to_the_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, names = _tls_of("localhost", tmp_path, monkeypatch)
    server = await asyncio.start_server(_say_host, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    loop, asked = asyncio.get_running_loop(), []
    resolve = loop.getaddrinfo

    async def counted(host: Any, *args: Any, **kwargs: Any) -> Any:
        asked.append(host)
        return await resolve(host, *args, **kwargs)

    monkeypatch.setattr(loop, "getaddrinfo", counted)
    async with OutboundClient(local=True) as outside:
        answer = await outside.request("GET", f"https://localhost:{port}/")
    server.close()
    assert answer.body == f"localhost:{port}".encode()
    assert [each for each in asked if each == "localhost"] == ["localhost"]
    assert names == ["localhost"]


async def _say_host(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().splitlines()
    host = next(line.partition(": ")[2] for line in head if line.lower().startswith("host:"))
    writer.write(f"HTTP/1.1 200 OK\r\ncontent-length: {len(host)}\r\nconnection: close\r\n\r\n{host}".encode())
    await writer.drain()
    writer.close()


def _tls_of(name: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[ssl.SSLContext, list[str]]:
    """A server's context with a certificate that this process trusts, and the names that clients ask for."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject, now = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]), datetime.now(UTC)
    alternatives = x509.SubjectAlternativeName([x509.DNSName(name), x509.IPAddress(ip_address("127.0.0.1"))])
    builder = x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(1)).not_valid_after(now + timedelta(1))
    certificate = builder.add_extension(alternatives, critical=False).sign(key, hashes.SHA256())
    chain = folder / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    public = certificate.public_bytes(serialization.Encoding.PEM)
    chain.write_bytes(private + public)
    (folder / "ca.pem").write_bytes(public)
    monkeypatch.setenv("SSL_CERT_FILE", str(folder / "ca.pem"))
    context, names = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH), list[str]()
    context.load_cert_chain(chain)
    context.sni_callback = lambda _, asked, __: names.append(asked)
    return context, names
