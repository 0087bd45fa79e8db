"""What a server of a tenant's own may send: however much it is, it costs that integration alone, and little memory."""

import asyncio
import gzip
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from chassis.clock import utc_now
from chassis.outbound import OutboundClient
from services.ingest.fetching.coverage import Reason
from services.ingest.fetching.mailbox import Mailbox, MailboxAccess
from services.ingest.fetching.source import FetchFailed
from services.ingest.fetching.streaming import events, lines
from tests.integration.ingest.servers.web import web_server
from tests.memory import peak_bytes

pytestmark = pytest.mark.integration
LITTLE = 8 * 1024 * 1024
FLOOD = 96 * 1024 * 1024


def _bombs() -> Starlette:
    packed = gzip.compress(bytes(64 * 1024 * 1024))

    async def bomb(request: Request) -> Response:
        headers = {"content-encoding": "gzip", "content-type": "text/event-stream"}
        return Response(packed, int(request.query_params["status"]), headers)

    return Starlette(routes=[Route("/", bomb)])


async def _exhaust(stream: AsyncGenerator[Any, None]) -> None:
    async with aclosing(stream):
        async for _ in stream:
            pass


@pytest.mark.parametrize("read", [events, lines])
@pytest.mark.parametrize(("status", "reason"), [(200, Reason.UNREACHABLE), (401, Reason.AUTH_FAILED)])
async def test_a_stream_that_would_inflate_is_not_read(
    read: Callable[..., AsyncGenerator[Any, None]], status: int, reason: Reason
) -> None:
    async with web_server(_bombs()) as server, OutboundClient(local=True) as http:
        with peak_bytes() as peak:
            with pytest.raises(FetchFailed) as failed:
                await _exhaust(read(http, f"{server.url}/?status={status}", utc_now))
            assert peak() < LITTLE
        assert failed.value.reason is reason


@asynccontextmanager
async def imap_flood(begin: bytes, piece: bytes) -> AsyncIterator[str]:
    """An IMAP server that lets anybody in and does not end its answer to what it is asked then."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            writer.write(b"* OK ready\r\n")
            tag, _, _ = (await reader.readline()).partition(b" ")
            writer.write(b"+ \r\n")
            await reader.readline()
            writer.write(tag + b" OK in\r\n")
            await reader.readline()
            writer.write(begin)
            for _ in range(FLOOD // len(piece)):
                writer.write(piece)
                await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
        yield f"imap://127.0.0.1:{server.sockets[0].getsockname()[1]}"


@pytest.mark.parametrize(
    ("begin", "piece"),
    [
        (b"", b"* 1 FETCH (BODY[] {1048576}\r\n" + bytes(1024 * 1024) + b")\r\n"),
        (b"* 1 FETCH (", b"{1048576}\r\n" + bytes(1024 * 1024)),
        (b"", b"* SEARCH 1\r\n" * 100_000),
        (bytes(1024 * 1024), b"{0}\r\n" * 100_000),
    ],
    ids=["literals", "literals in one line", "lines", "empty literals behind much text"],
)
async def test_a_mail_server_that_does_not_end_its_answer_is_left(begin: bytes, piece: bytes) -> None:
    async with imap_flood(begin, piece) as url, OutboundClient(local=True) as http:
        with peak_bytes() as peak:
            with pytest.raises(FetchFailed) as failed:
                await _exhaust(Mailbox(MailboxAccess(url, "ada", "secret"), http, utc_now).frames(None))
            assert peak() < FLOOD // 2
        assert (failed.value.reason, failed.value.message) == (
            Reason.UNREACHABLE,
            "the server sends more than was asked for",
        )
