"""The HTTP server on real sockets: it takes a free port, finishes what is under way, and says little of itself."""

import asyncio
import socket

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from structlog.testing import capture_logs

from chassis.http_server import HttpSettings, serve_http

pytestmark = pytest.mark.integration


class _Gate:
    """An application whose answer waits until the test opens it."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.opened = asyncio.Event()
        self.app = Starlette(routes=[Route("/", self._answer), Route("/broken", self._broken)])

    async def _answer(self, _: Request) -> PlainTextResponse:
        self.entered.set()
        await self.opened.wait()
        return PlainTextResponse("done")

    async def _broken(self, _: Request) -> PlainTextResponse:
        raise ValueError("what somebody wrote")


def _settings(**values: float) -> HttpSettings:
    return HttpSettings.model_validate({"port": 0, **values})


async def test_the_port_that_was_taken_can_be_read_and_answers() -> None:
    gate = _Gate()
    gate.opened.set()
    async with serve_http(gate.app, _settings()) as server, httpx.AsyncClient() as client:
        response = await client.get(f"http://{server.host}:{server.port}/")

    assert (response.status_code, response.text) == (200, "done")
    assert "server" not in response.headers


async def test_requests_under_way_are_finished_and_new_ones_refused() -> None:
    gate = _Gate()
    async with httpx.AsyncClient() as client:
        async with serve_http(gate.app, _settings()) as server:
            url = f"http://{server.host}:{server.port}/"
            asking = asyncio.create_task(client.get(url))
            await gate.entered.wait()
            asyncio.get_running_loop().call_later(0.3, gate.opened.set)
        assert (await asking).text == "done"
        with pytest.raises(httpx.ConnectError):
            await client.get(url)


async def test_a_request_that_never_ends_is_cut_off() -> None:
    gate = _Gate()
    async with httpx.AsyncClient(timeout=30) as client, asyncio.timeout(8):
        async with serve_http(gate.app, _settings(drain_seconds=1)) as server:
            asking = asyncio.create_task(client.get(f"http://{server.host}:{server.port}/"))
            await gate.entered.wait()
        assert (await asking).status_code == 500


async def test_a_failing_application_answers_500_without_its_text() -> None:
    async with serve_http(_Gate().app, _settings()) as server, httpx.AsyncClient() as client:
        response = await client.get(f"http://{server.host}:{server.port}/broken")

    assert response.status_code == 500
    assert "what somebody wrote" not in response.text


async def test_a_request_is_logged_by_its_route_and_not_by_what_it_carries() -> None:
    with capture_logs() as logs:
        async with serve_http(_Gate().app, _settings()) as server, httpx.AsyncClient() as client:
            for path in ("/broken?text=hello", "/nowhere/hello"):
                await client.get(f"http://{server.host}:{server.port}{path}")

    lines = [(line["route"], line["status"], line["log_level"]) for line in logs]
    assert lines == [("/broken", 500, "warning"), (None, 404, "info")]
    assert "hello" not in str(logs)


async def test_a_taken_port_is_told_with_its_variable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        settings = _settings(port=taken.getsockname()[1])
        with pytest.raises(OSError, match=r"cannot listen on 127\.0\.0\.1:\d+ .*give another HTTP_PORT"):
            await serve_http(_Gate().app, settings).__aenter__()
