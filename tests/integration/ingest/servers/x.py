"""A small X: rules of an app, the stream of what they match, and recent search, which finds what was written since."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from chassis.clock import utc_now

TOKEN = "an-app"
_PAGE_POSTS = 2


class X:
    """A rule matches the posts that hold its value. `lost` posts are found by search and never streamed."""

    def __init__(self) -> None:
        self.rules: dict[str, dict[str, str]] = {}
        self.refused = ""
        """The value of a rule that is no rule."""
        self.searches: list[str] = []
        self._posts: list[dict[str, Any]] = []
        self._open: set[asyncio.Queue[bytes]] = set()
        self._rule_count = 0
        self.app = Starlette(
            routes=[
                Route("/2/tweets/search/stream", self._stream),
                Route("/2/tweets/search/stream/rules", self._standing),
                Route("/2/tweets/search/stream/rules", self._change, methods=["POST"]),
                Route("/2/tweets/search/recent", self._recent),
            ]
        )

    @property
    def listeners(self) -> int:
        return len(self._open)

    @property
    def values(self) -> set[str]:
        return {each["value"] for each in self.rules.values()}

    def rule(self, value: str, tag: str) -> None:
        self._rule_count += 1
        self.rules[str(self._rule_count)] = {"id": str(self._rule_count), "value": value, "tag": tag}

    def write(self, *numbers: int, text: str = "Why does my lumora blink?", lost: bool = False) -> None:
        for number in numbers:
            said = {"id": str(number), "text": text, "author_id": "7", "created_at": f"{utc_now():%FT%T.000Z}"}
            self._posts.insert(0, said)
            matching = [{"id": each["id"], "tag": each["tag"]} for each in self.rules.values() if each["value"] in text]
            frame = json.dumps({"data": said, "matching_rules": matching}).encode() + b"\r\n"
            for queue in () if lost or not matching else self._open:
                queue.put_nowait(frame)

    def keep_alive(self) -> None:
        for queue in self._open:
            queue.put_nowait(b"\r\n")

    async def _stream(self, request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return JSONResponse({"title": "Unauthorized"}, 401)
        if self._open:
            return JSONResponse({"title": "ConnectionException"}, 429)
        return StreamingResponse(self._frames(), media_type="application/json")

    async def _frames(self) -> AsyncIterator[bytes]:
        queue: asyncio.Queue[bytes] = asyncio.Queue()
        self._open.add(queue)
        try:
            yield b"\r\n"
            while True:
                frame = await queue.get()
                half = len(frame) // 2
                yield frame[:half]
                yield frame[half:]
        finally:
            self._open.discard(queue)

    async def _standing(self, _: Request) -> Response:
        return JSONResponse({"data": list(self.rules.values()), "meta": {"result_count": len(self.rules)}})

    async def _change(self, request: Request) -> Response:
        change = await request.json()
        if self.refused and self.refused in [each["value"] for each in change.get("add", ())]:
            return JSONResponse({"errors": [{"title": "UnprocessableEntity", "value": self.refused}]}, 400)
        for own_id in change.get("delete", {}).get("ids", ()):
            del self.rules[own_id]
        for each in change.get("add", ()):
            self.rule(each["value"], each["tag"])
        added = [
            each for each in self.rules.values() if each["value"] in [one["value"] for one in change.get("add", ())]
        ]
        return JSONResponse({"data": added, "meta": {}}, 201)

    async def _recent(self, request: Request) -> Response:
        since = datetime.fromisoformat(request.query_params["start_time"])
        if utc_now() - since < timedelta(seconds=10):
            return JSONResponse({"title": "Invalid Request"}, 400)
        self.searches.append(request.query_params["query"])
        found = [each for each in self._posts if self.searches[-1] in each["text"]]
        found = [each for each in found if datetime.fromisoformat(each["created_at"]) >= since]
        start = int(request.query_params.get("next_token", "0"))
        page, rest = found[start : start + _PAGE_POSTS], found[start + _PAGE_POSTS :]
        meta = {"result_count": len(page)} | ({"next_token": str(start + _PAGE_POSTS)} if rest else {})
        return JSONResponse({"data": page, "meta": meta} if page else {"meta": meta})
