"""A feed that changes (JSON Feed), of a server that knows conditional GET and counts how it was asked."""

import hashlib
import json

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


class ChangingFeed:
    def __init__(self, *, items: int) -> None:
        self._items: list[dict[str, str]] = []
        self._shown = items
        self.statuses: list[int] = []
        self.broken: Response | None = None
        self.app = Starlette(routes=[Route("/feed", self._serve)])

    def add(self, *ids: str) -> None:
        self._items += [{"id": each, "content_text": f"About {each}"} for each in ids]

    async def _serve(self, request: Request) -> Response:
        response = self.broken or self._answer(request)
        self.statuses.append(response.status_code)
        return response

    def _answer(self, request: Request) -> Response:
        body = json.dumps(
            {"version": "https://jsonfeed.org/version/1.1", "items": self._items[-self._shown :]}
        ).encode()
        etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        headers = {"etag": etag, "cache-control": "max-age=0"}
        if request.headers.get("if-none-match") == etag:
            return Response(status_code=304, headers=headers)
        return Response(body, headers=headers, media_type="application/feed+json")
