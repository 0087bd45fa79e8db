"""The web chat's way back over HTTP: `GET /v1/chat/{widget}/messages`, as a stream of events or page by page."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from time import monotonic
from typing import Final

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from chassis.cors import cors_headers, is_allowed
from chassis.postgres import POSTGRES_UNAVAILABLE, Pool
from chassis.problems import Problem, Refused, address_problems, render
from contracts.chat_session import ChatSession, SessionInvalid, verify_session
from contracts.integrations import Integration
from services.responder.channels.web_chat import ChatMessage, read_after
from services.responder.watch import Hub

ROUTE: Final = "/v1/chat/{widget}/messages"
_PAGE: Final = 100
_POLL_SECONDS: Final = 1.0
_KEEP_ALIVE_SECONDS: Final = 15.0
_RECONNECT_MS: Final = 3_000
_RETRY_AFTER_SECONDS: Final = 2.0
_MAX_STREAMS: Final = 2_000
_BEARER: Final = "bearer "


class ChatProblem(Problem):
    """Every way in which a page is refused."""

    SESSION_INVALID = (401, "The session token is not valid")
    ORIGIN_NOT_ALLOWED = (403, "This page may not embed the widget")
    NOT_FOUND = (404, "There is nothing at this address")
    METHOD_NOT_ALLOWED = (405, "This address does not take this method")
    FIELD_INVALID = (422, "The request does not say what it should")
    STORE_UNAVAILABLE = (503, "Messages cannot be read at the moment")
    TOO_MANY_STREAMS = (503, "Too many streams are open")


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
            return render(Refused(ChatProblem.NOT_FOUND, "Check the widget's id."))
        origin = request.headers.get("origin")
        if not is_allowed(origin, widget.allowed_origins):
            detail = "Add the page's origin to allowed_origins of the integration."
            return render(Refused(ChatProblem.ORIGIN_NOT_ALLOWED, detail))
        response = Response(status_code=204) if request.method == "OPTIONS" else await self._answer(request, widget)
        response.headers.update(
            cors_headers(origin, methods="GET, OPTIONS", request_headers="authorization, last-event-id")
        )
        return response

    async def _answer(self, request: Request, widget: Integration) -> Response:
        try:
            session = self._session(request, widget)
            after = _position(request)
            if "text/event-stream" not in request.headers.get("accept", ""):
                return await self._page(session, after)
        except Refused as refused:
            return render(refused)
        except POSTGRES_UNAVAILABLE:
            return render(_not_now(ChatProblem.STORE_UNAVAILABLE, "Try again shortly."))
        if self._streams >= _MAX_STREAMS:
            return render(_not_now(ChatProblem.TOO_MANY_STREAMS, "Ask page by page meanwhile."))
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
    return Starlette(
        routes=[Route(ROUTE, messages.serve, methods=["GET", "OPTIONS"])],
        exception_handlers=address_problems(
            not_found=ChatProblem.NOT_FOUND, method_not_allowed=ChatProblem.METHOD_NOT_ALLOWED
        ),
    )


def _position(request: Request) -> int:
    given = request.headers.get("last-event-id") or request.query_params.get("after") or "0"
    if not (given.isascii() and given.isdigit() and len(given) <= 18):  # noqa: PLR2004 - fits a bigint
        raise Refused(ChatProblem.FIELD_INVALID, "Send the id of the last event that you have as `after`.")
    return int(given)


def _shown(message: ChatMessage) -> dict[str, str]:
    return {"message": message.message, "text": message.text, "sent_at": message.sent_at.isoformat()}


def _not_now(problem: ChatProblem, detail: str) -> Refused:
    return Refused(problem, detail, retry_after_seconds=_RETRY_AFTER_SECONDS)


def _session_invalid() -> Refused:
    return Refused(ChatProblem.SESSION_INVALID, "Open a new session with a message.")
