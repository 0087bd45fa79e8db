"""A small Reddit: tokens that end, an inbox in pages from the newest back, and a quota that it tells and counts."""

import time
from base64 import b64encode
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

CREDENTIALS = {"client_id": "app", "client_secret": "secret", "refresh_token": "refresh"}


class Reddit:
    """`quota` requests are allowed in each window; `over_quota` counts those that came although they were told."""

    def __init__(self, *, quota: int = 10_000, window_seconds: float = 0.3) -> None:
        self.things: list[dict[str, Any]] = []
        self.tokens: list[str] = []
        self.over_quota = 0
        self.asked_for: list[str | None] = []
        self._quota = quota
        self._window_seconds = window_seconds
        self._left, self._until = quota, 0.0
        self.app = Starlette(
            routes=[Route("/token", self._token, methods=["POST"]), Route("/message/inbox", self._inbox)]
        )

    def write(self, *numbers: int) -> None:
        for number in numbers:
            name = f"t1_{number}"
            said = {"name": name, "id": str(number), "author": "ada", "body": "Why?", "created_utc": 1_795_000_000.0}
            self.things.insert(0, {"kind": "t1", "data": {**said, "edited": False, "link_id": "t3_1"}})

    def revoke(self) -> None:
        self.tokens.clear()

    async def _token(self, request: Request) -> Response:
        basic = b64encode(b"app:secret").decode()
        form = (await request.body()).decode()
        if request.headers["authorization"] != f"Basic {basic}" or "refresh_token=refresh" not in form:
            return JSONResponse({"error": "invalid_grant"}, 400)
        self.tokens.append(f"token-{len(self.tokens)}-{time.monotonic()}")
        return JSONResponse({"access_token": self.tokens[-1], "expires_in": 3600})

    async def _inbox(self, request: Request) -> Response:
        if request.headers.get("authorization", "").removeprefix("Bearer ") not in self.tokens:
            return JSONResponse({"error": 401}, 401)
        if not self._take():
            self.over_quota += 1
            return JSONResponse({"error": 429}, 429, {"retry-after": "1"})
        after, limit = request.query_params.get("after"), 5
        self.asked_for.append(after)
        names = [each["data"]["name"] for each in self.things]
        start = names.index(after) + 1 if after else 0
        page = self.things[start : start + limit]
        following = page[-1]["data"]["name"] if start + limit < len(self.things) else None
        headers = {"x-ratelimit-remaining": f"{self._left}.0", "x-ratelimit-reset": f"{self._until - time.monotonic()}"}
        return JSONResponse({"kind": "Listing", "data": {"children": page, "after": following}}, headers=headers)

    def _take(self) -> bool:
        if time.monotonic() >= self._until:
            self._left, self._until = self._quota, time.monotonic() + self._window_seconds
        self._left -= 1
        return self._left >= 0
