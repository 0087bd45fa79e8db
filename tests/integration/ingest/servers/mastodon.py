"""A small Mastodon: the user's event stream, and its notifications, which come in pages."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

TOKEN = "a-token"


class Mastodon:
    """`lost` notifications are kept and never streamed, as when the stream's own queue fails."""

    def __init__(self) -> None:
        self._notifications: list[dict[str, Any]] = []
        self._open: set[asyncio.Queue[str]] = set()
        self.app = Starlette(
            routes=[
                Route("/api/v1/streaming/user", self._stream),
                Route("/api/v1/notifications", self._page),
            ]
        )

    @property
    def listeners(self) -> int:
        return len(self._open)

    def mention(self, *ids: int, lost: bool = False) -> None:
        for each in ids:
            notification = {"id": str(each), "type": "mention", "status": status(each)}
            self._notifications.append(notification)
            if not lost:
                self.tell("notification", json.dumps(notification))

    def tell(self, event: str, data: str) -> None:
        for queue in self._open:
            queue.put_nowait(f"event: {event}\ndata: {data}\n\n")

    async def _stream(self, request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return JSONResponse({"error": "The access token is invalid"}, 401)
        return StreamingResponse(self._events(), media_type="text/event-stream")

    async def _events(self) -> AsyncIterator[str]:
        queue: asyncio.Queue[str] = asyncio.Queue()
        self._open.add(queue)
        try:
            yield ":)\n"
            while True:
                event = await queue.get()
                half = len(event) // 2
                yield event[:half]
                yield event[half:]
        finally:
            self._open.discard(queue)

    async def _page(self, request: Request) -> Response:
        limit, after = int(request.query_params["limit"]), request.query_params.get("min_id")
        if after is None:
            page = self._notifications[-limit:]
        else:
            page = [each for each in self._notifications if int(each["id"]) > int(after)][:limit]
        return JSONResponse(page[::-1])


def status(number: int, **fields: Any) -> dict[str, Any]:
    return {
        "id": f"9{number}",
        "created_at": "2026-11-22T09:00:00.000Z",
        "visibility": "public",
        "content": "<p>Why does my lamp blink?</p>",
        "account": {"id": "7", "acct": "ada@social.example"},
        **fields,
    }
