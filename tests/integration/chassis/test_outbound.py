"""The client for calls to the outside against real servers: redirects, sizes, cookies, names, and one resolution."""

import asyncio
import gzip
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
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
from starlette.responses import JSONResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from chassis.http_server import HttpSettings, serve_http
from chassis.outbound import Forbidden, OutboundClient, TooLarge
from tests.memory import peak_bytes

pytestmark = pytest.mark.integration
BOMB = gzip.compress(bytes(64 * 1024 * 1024))
SAID = gzip.compress(b"what was said")


@pytest.fixture
async def url() -> AsyncIterator[str]:
    async with serve_http(_app(), HttpSettings(port=0, drain_seconds=0.5)) as server:
        yield f"http://127.0.0.1:{server.port}"


def _app() -> Starlette:
    async def hops(request: Request) -> Response:
        left = int(request.path_params["left"])
        return RedirectResponse(f"/hops/{left - 1}") if left else Response("there")

    async def elsewhere(request: Request) -> Response:
        return RedirectResponse(request.query_params["to"], int(request.query_params.get("status", "307")))

    async def bomb(_: Request) -> Response:
        return Response(BOMB, headers={"content-encoding": "gzip"})

    async def packed_hop(_: Request) -> Response:
        return Response(BOMB, 302, {"content-encoding": "gzip", "location": "/hops/0"})

    async def packed(request: Request) -> Response:
        return Response(await request.body(), headers={"content-encoding": request.query_params["coding"]})

    async def endless(_: Request) -> Response:
        return StreamingResponse(_signs_of_life(), media_type="text/event-stream")

    async def seen(request: Request) -> Response:
        response = JSONResponse(dict(request.headers))
        response.set_cookie("session", "1")
        return response

    return Starlette(
        routes=[
            Route("/hops/{left}", hops),
            Route("/elsewhere", elsewhere, methods=["GET", "POST"]),
            Route("/bomb", bomb),
            Route("/packed-hop", packed_hop),
            Route("/packed", packed, methods=["POST"]),
            Route("/endless", endless),
            Route("/seen", seen, methods=["GET", "POST"]),
        ]
    )


async def _signs_of_life() -> AsyncIterator[bytes]:
    yield b":\n"
    await asyncio.Event().wait()


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


@pytest.mark.parametrize("name", ["api-key", "x-secret-of-a-network"])
async def test_a_key_in_a_header_of_the_networks_own_stays_with_its_host(
    url: str, outside: OutboundClient, name: str
) -> None:
    within = await outside.request("GET", f"{url}/elsewhere", params={"to": f"{url}/seen"}, headers={name: "secret"})
    assert b"secret" in within.body
    async with serve_http(_app(), HttpSettings(port=0, drain_seconds=0.5)) as other:
        there = {"to": f"http://127.0.0.1:{other.port}/seen"}
        answer = await outside.request("GET", f"{url}/elsewhere", params=there, headers={name: "secret"})
        with pytest.raises(Forbidden):
            await outside.request("POST", f"{url}/elsewhere", params=there, content=b"client_secret=secret")
    assert answer.status == 200
    assert b"secret" not in answer.body


async def test_what_asks_on_a_condition_still_does_so_behind_a_redirect(url: str, outside: OutboundClient) -> None:
    async with serve_http(_app(), HttpSettings(port=0, drain_seconds=0.5)) as other:
        there = {"to": f"http://127.0.0.1:{other.port}/seen"}
        answer = await outside.request("GET", f"{url}/elsewhere", params=there, headers={"If-None-Match": '"1"'})
    assert b"if-none-match" in answer.body


async def test_a_small_answer_that_inflates_to_a_large_one_is_given_up(url: str, outside: OutboundClient) -> None:
    with pytest.raises(TooLarge):
        await outside.request("GET", f"{url}/bomb")


async def test_what_a_redirect_says_beside_where_to_is_not_read(url: str, outside: OutboundClient) -> None:
    with peak_bytes() as peak:
        assert (await outside.request("GET", f"{url}/packed-hop")).body == b"there"
        assert peak() < 8 * 1024 * 1024


@pytest.mark.parametrize(
    ("coding", "sent"),
    [
        ("gzip", SAID[:-9]),
        ("gzip", SAID[:4]),
        ("gzip", SAID + SAID),
        ("gzip", b"plain"),
        ("br", SAID),
        ("gzip, gzip", gzip.compress(SAID)),
    ],
    ids=["cut", "cut in its head", "twice", "not packed", "another coding", "two codings"],
)
async def test_an_answer_that_cannot_be_read_to_its_end_is_none(
    url: str, outside: OutboundClient, coding: str, sent: bytes
) -> None:
    with pytest.raises(httpx.DecodingError):
        await outside.request("POST", f"{url}/packed", params={"coding": coding}, content=sent)


@pytest.mark.parametrize(
    ("coding", "sent", "read"),
    [
        ("GZIP", SAID, b"what was said"),
        ("x-gzip", SAID, b"what was said"),
        ("identity", b"plain", b"plain"),
        ("gzip", b"", b""),
    ],
    ids=["in capitals", "by its old name", "not packed", "empty"],
)
async def test_however_gzip_is_spelt_it_is_read(
    url: str, outside: OutboundClient, coding: str, sent: bytes, read: bytes
) -> None:
    answer = await outside.request("POST", f"{url}/packed", params={"coding": coding}, content=sent)
    assert answer.body == read


async def test_a_hundred_streams_that_stay_open_keep_no_call_waiting(url: str, outside: OutboundClient) -> None:
    async with AsyncExitStack() as streams:
        for _ in range(120):
            stream = outside.stream(f"{url}/endless", silence_seconds=5)
            assert (await streams.enter_async_context(stream)).status_code == 200
        assert (await outside.request("GET", f"{url}/hops/0")).body == b"there"


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
