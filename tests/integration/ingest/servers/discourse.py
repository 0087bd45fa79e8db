"""A small Discourse: a page of its newest posts holds what is public of fifty ids."""

from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

KEY, USER = "a-key", "desk"


class Discourse:
    def __init__(self) -> None:
        self.posts: dict[int, dict[str, Any]] = {}
        self.looks = 0
        self.app = Starlette(routes=[Route("/posts.json", self._latest)])

    def write(self, *numbers: int, **fields: Any) -> None:
        for number in numbers:
            said = {"id": number, "topic_id": 9, "post_number": number, "user_id": 7, "username": "ada", "version": 1}
            self.posts[number] = {**said, "raw": "Why?", "created_at": "2026-11-22T09:00:00.000Z", **fields}

    async def _latest(self, request: Request) -> Response:
        if (request.headers.get("api-key"), request.headers.get("api-username")) != (KEY, USER):
            return JSONResponse({"errors": ["The API username or key is invalid."]}, 403)
        self.looks += 1
        before = int(request.query_params.get("before", max(self.posts)))
        found = [self.posts[each] for each in range(before, before - 50, -1) if each in self.posts]
        return JSONResponse({"latest_posts": found})
