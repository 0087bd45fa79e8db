"""The web chat's way back over HTTP: `GET /v1/chat/{widget}/messages`, as a stream of events or page by page."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from chassis.postgres import POSTGRES_UNAVAILABLE, Pool
from contracts.chat_session import ChatSession, SessionInvalid, verify_session
from contracts.integrations import Integration
from services.responder.channels.web_chat import ChatMessage, read_after
from services.responder.watch import Hub

ROUTE: Final = "/v1/chat/{widget}/messages"
_PAGE: Final = 100
_POLL_SECONDS: Final = 1.0
_KEEP_ALIVE_SECONDS: Final = 15.0
_RECONNECT_MS: Final = 3_000
_MAX_STREAMS: Final = 2_000
_BEARER: Final = "bearer "


@dataclass(frozen=True)
class Refused(Exception):  # noqa: N818 - named after what the caller is told
    """A request that is not served, as RFC 9457 tells it."""

    status: int
    code: str
    title: str
    detail: str

    def response(self) -> JSONResponse:
        """The problem document."""
        body = {"type": "about:blank", "title": self.title, "status": self.status, "code": self.code}
        return JSONResponse({**body, "detail": self.detail}, self.status, media_type="application/problem+json")


class ChatMessages:
    """Serves the answers of a session to whoever holds its token."""

    def __init__(self, pool: Pool, widgets: Mapping[str, Integration], session_key: bytes, hub: Hub) -> None:
        self._pool = pool
        self._widgets = widgets
        self._key = session_key
        self._hub = hub
        self._streams = 0
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """End the streams: their pages connect again, to another replica."""
        self._stopping.set()
        self._hub.notify()

    async def serve(self, request: Request) -> Response:
        """Answer a page's script: its preflight, its question for messages, or a refusal that it can read."""
        widget = self._widgets.get(request.path_params["widget"])
        if widget is None:
            return Refused(404, "NOT_FOUND", "There is no such widget", "Check the widget's id.").response()
        origin = request.headers.get("origin")
        if origin is not None and origin not in widget.allowed_origins and "*" not in widget.allowed_origins:
            detail = "Add the page's origin to allowed_origins of the integration."
            return Refused(403, "ORIGIN_NOT_ALLOWED", "This page may not embed the widget", detail).response()
        response = Response(status_code=204) if request.method == "OPTIONS" else await self._answer(request, widget)
        response.headers.update(_cors(origin))
        return response

    async def _answer(self, request: Request, widget: Integration) -> Response:
        try:
            session = self._session(request, widget)
            after = _position(request)
            if "text/event-stream" not in request.headers.get("accept", ""):
                return await self._page(session, after)
        except Refused as refused:
            return refused.response()
        except POSTGRES_UNAVAILABLE:
            problem = Refused(503, "STORE_UNAVAILABLE", "Messages cannot be read at the moment", "Try again shortly.")
            return problem.response()
        if self._streams >= _MAX_STREAMS:
            problem = Refused(503, "TOO_MANY_STREAMS", "Too many streams are open", "Ask page by page meanwhile.")
            return problem.response()
        headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
        return StreamingResponse(self._stream(session, after), media_type="text/event-stream", headers=headers)

    async def _page(self, session: ChatSession, after: int) -> Response:
        found = await read_after(self._pool, session.integration, session.session, after, _PAGE)
        body = {"messages": [_shown(each) for each in found], "next_after": found[-1].seq if found else after}
        return JSONResponse(body, headers={"cache-control": "no-store"})

    async def _stream(self, session: ChatSession, after: int) -> AsyncIterator[str]:
        """Events from after a position until the page leaves or the process stops; `id` is where to resume."""
        self._streams += 1
        try:
            yield f"retry: {_RECONNECT_MS}\n\n"
            told_at = monotonic()
            while not self._stopping.is_set():
                found = await read_after(self._pool, session.integration, session.session, after, _PAGE)
                for each in found:
                    after = each.seq
                    yield f"id: {each.seq}\nevent: message\ndata: {json.dumps(_shown(each), ensure_ascii=False)}\n\n"
                if monotonic() - told_at >= _KEEP_ALIVE_SECONDS:
                    yield ": still here\n\n"
                told_at = monotonic() if found or monotonic() - told_at >= _KEEP_ALIVE_SECONDS else told_at
                if len(found) < _PAGE:
                    await self._hub.wait(_POLL_SECONDS)
        except POSTGRES_UNAVAILABLE:
            return
        finally:
            self._streams -= 1

    def _session(self, request: Request, widget: Integration) -> ChatSession:
        """The session of the caller's token; browsers' EventSource can send no header, so a parameter will do."""
        authorization = request.headers.get("authorization", "")
        token = authorization[len(_BEARER) :] if authorization.lower().startswith(_BEARER) else ""
        try:
            session = verify_session(self._key, token.strip() or request.query_params.get("session_token", ""))
        except SessionInvalid:
            raise _session_invalid() from None
        if (session.integration, session.tenant) != (widget.id, widget.tenant):
            raise _session_invalid()
        return session


def build_app(messages: ChatMessages) -> Starlette:
    """The HTTP application."""
    return Starlette(routes=[Route(ROUTE, messages.serve, methods=["GET", "OPTIONS"])])


def _position(request: Request) -> int:
    given = request.headers.get("last-event-id") or request.query_params.get("after") or "0"
    if not (given.isascii() and given.isdigit() and len(given) <= 18):  # noqa: PLR2004 - fits a bigint
        raise Refused(422, "FIELD_INVALID", "after is no position", "Send the id of the last event that you have.")
    return int(given)


def _shown(message: ChatMessage) -> dict[str, str]:
    return {"message": message.message, "text": message.text, "sent_at": message.sent_at.isoformat()}


def _cors(origin: str | None) -> dict[str, str]:
    if origin is None:
        return {}
    return {
        "access-control-allow-origin": origin,
        "access-control-allow-methods": "GET, OPTIONS",
        "access-control-allow-headers": "authorization, last-event-id",
        "access-control-max-age": "600",
        "vary": "origin",
    }


def _session_invalid() -> Refused:
    return Refused(401, "SESSION_INVALID", "The session token is not valid", "Open a new session with a message.")
