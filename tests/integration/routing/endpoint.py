"""An OpenAI-compatible chat endpoint that answers as the test says, on a real socket."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from chassis.http_server import HttpSettings, serve_http

GOOD = {"category": "complaint", "kind": "bug_report", "confidence": 0.9, "reason": "The phone fails."}
Reply = Callable[[dict[str, Any]], Response]


class Endpoint:
    """An OpenAI-compatible server that answers as the test says, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.open = self.most_open = 0
        self.called = asyncio.Event()
        self.delay_seconds = 0.0
        self.reply: Reply = lambda _: completion(GOOD)

    async def answer(self, request: Request) -> Response:
        self.asked.append(await request.json())
        self.headers.append(dict(request.headers))
        self.called.set()
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        try:
            await asyncio.sleep(self.delay_seconds)
        finally:
            self.open -= 1
        return self.reply(self.asked[-1])


def completion(answer: dict[str, Any] | str) -> Response:
    content = answer if isinstance(answer, str) else json.dumps(answer)
    return JSONResponse({"choices": [{"index": 0, "message": {"role": "assistant", "content": content}}]})


@asynccontextmanager
async def serving_endpoint(endpoint: Endpoint) -> AsyncIterator[str]:
    """Serve it inside the block; the value is the base of its URL."""
    app = Starlette(routes=[Route("/v1/chat/completions", endpoint.answer, methods=["POST"])])
    async with serve_http(app, HttpSettings(port=0, drain_seconds=0.5)) as server:
        yield f"http://127.0.0.1:{server.port}/v1"
