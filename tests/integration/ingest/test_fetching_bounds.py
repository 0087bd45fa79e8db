"""What a server of a tenant's own may send: however much it is, it costs that integration alone, and little memory."""

import gzip
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from chassis.clock import utc_now
from chassis.outbound import OutboundClient
from services.ingest.fetching.coverage import Reason
from services.ingest.fetching.source import FetchFailed
from services.ingest.fetching.streaming import events, lines
from tests.integration.ingest.servers.web import web_server
from tests.memory import peak_bytes

pytestmark = pytest.mark.integration
LITTLE = 8 * 1024 * 1024


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
