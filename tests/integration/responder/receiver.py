"""A real HTTP receiver of webhooks that can be told to be slow, to refuse, or to die after it accepted."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from chassis.http_server import HttpSettings, serve_http

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


@dataclass
class Receiver:
    """Counts what arrived; `answers` are the statuses to give, the last one for good, and None never answers."""

    answers: list[int | None] = field(default_factory=lambda: [200])
    arrives: bool = True
    """Whether what it is sent reaches its inbox, whatever it answers."""
    lookup_status: int | None = None
    inbox: list[tuple[str, str]] = field(default_factory=list)
    """webhook-id and text of everything that arrived."""
    requests: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    heard: asyncio.Event = field(default_factory=asyncio.Event)
    """Set with the first text that arrives."""
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    """Nobody is answered before it is set, which it is unless a test clears it."""
    lookups: int = 0
    port: int = 0

    def __post_init__(self) -> None:
        self.gate.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/in"

    @property
    def lookup_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/sent"

    async def take(self, request: Request) -> Response:
        body = await request.body()
        self.requests.append((dict(request.headers), body))
        status = self.answers[0] if len(self.answers) == 1 else self.answers.pop(0)
        webhook_id = request.headers["webhook-id"]
        if self.arrives and (status is None or status < 300 or status >= 500):
            self.inbox.append((webhook_id, json.loads(body)["data"]["text"]))
            self.heard.set()
        await self.gate.wait()
        if status is None:
            await asyncio.sleep(30)
        return JSONResponse({"native_id": f"n-{webhook_id}"}, status or 200)

    async def look_up(self, request: Request) -> Response:
        self.lookups += 1
        await self.gate.wait()
        if self.lookup_status is not None:
            return Response(status_code=self.lookup_status)
        wanted = request.path_params["id"]
        found = any(webhook_id == wanted for webhook_id, _ in self.inbox)
        return JSONResponse({"native_id": f"n-{wanted}"}) if found else Response(status_code=404)


@asynccontextmanager
async def receiving(**behaviour: object) -> AsyncIterator[Receiver]:
    receiver = Receiver(**behaviour)  # type: ignore[arg-type]
    routes = [
        Route("/in", receiver.take, methods=["POST"]),
        Route("/sent/{id}", receiver.look_up, methods=["GET"]),
    ]
    settings = HttpSettings.model_validate({"host": "127.0.0.1", "port": 0, "drain_seconds": 0.2})
    async with serve_http(Starlette(routes=routes), settings) as server:
        receiver.port = server.port
        yield receiver


@asynccontextmanager
async def trickling(start: bytes) -> AsyncIterator[int]:
    """A receiver on the port that it answers, which says `start` at once and then one byte after the other for ever."""

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(start)
        with suppress(ConnectionError):
            while not writer.is_closing():
                await writer.drain()
                await asyncio.sleep(0.05)
                writer.write(b"a")

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
