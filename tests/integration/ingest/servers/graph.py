"""A small Graph API: lists in pages from the newest back, failures and quotas as Meta tells them."""

import json
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

TOKEN = "a-token"
_PAGE_ITEMS = 3
_TIME = "2026-11-22T09:{:02}:{:02}+0000"


class Graph:
    """`lists` are by their paths. After `answers` calls, `throttled` are refused; the quota is told as minutes."""

    def __init__(self) -> None:
        self.lists: dict[str, list[dict[str, Any]]] = {}
        self.answers = 0
        self.throttled = 0
        self.asked: list[str] = []
        self.app = Starlette(routes=[Route("/{path:path}", self._answer)])

    def add(self, path: str, *items: dict[str, Any]) -> None:
        self.lists[path] = [*reversed(items), *self.lists.get(path, ())]

    async def _answer(self, request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {TOKEN}":
            return _failed(190)
        if self.throttled and len(self.asked) >= self.answers:
            self.throttled -= 1
            quota = {"1": [{"type": "pages", "call_count": 100, "estimated_time_to_regain_access": 0.001}]}
            return _failed(32, {"x-business-use-case-usage": json.dumps(quota)})
        path = request.path_params["path"]
        if path not in self.lists:
            return _failed(100, subcode=33)
        self.asked.append(path)
        return JSONResponse(self._page(path, int(request.query_params.get("after", "0"))))

    def _page(self, path: str, start: int) -> dict[str, Any]:
        end = start + _PAGE_ITEMS
        following = {"next": f"https://graph.example/{path}?after={end}"} if end < len(self.lists[path]) else {}
        return {"data": self.lists[path][start:end], "paging": {"cursors": {"after": str(end)}, **following}}


def _failed(code: int, headers: dict[str, str] | None = None, subcode: int | None = None) -> Response:
    return JSONResponse({"error": {"code": code, "error_subcode": subcode, "message": "No."}}, 400, headers)


def time(number: int) -> str:
    """A moment that comes the later, the larger the number is."""
    return _TIME.format(*divmod(number, 60))
