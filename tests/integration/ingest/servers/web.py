"""A real HTTP server of a test's own, which may go away and come back on the same port."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from starlette.types import ASGIApp

from chassis.http_server import HttpSettings, serve_http


class WebServer:
    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._running = AsyncExitStack()
        self._port = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    async def start(self) -> None:
        settings = HttpSettings(port=self._port, drain_seconds=0.5)
        server = await self._running.enter_async_context(serve_http(self._app, settings))
        self._port = server.port

    async def stop(self) -> None:
        await self._running.aclose()


@asynccontextmanager
async def web_server(app: ASGIApp) -> AsyncIterator[WebServer]:
    server = WebServer(app)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
