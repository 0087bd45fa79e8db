"""`POST /v1/chat/{widget}`: messages of visitors to a web page, each in a session of its own."""

from typing import Final
from uuid import UUID, uuid4

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from chassis.clock import Clock
from chassis.cors import cors_headers, is_allowed
from contracts.chat_session import ChatSession, SessionInvalid, issue_session, new_session, verify_session
from contracts.integrations import Integration
from services.ingest.accept import Acceptor
from services.ingest.address import address_of
from services.ingest.body import read_body
from services.ingest.chatbody import ChatMessage, chat_post, parse_chat
from services.ingest.inbound import refuse
from services.ingest.normalizer import Accepted
from services.ingest.rate_limit import TokenBuckets
from services.ingest.rawpost import Invalid
from services.ingest.refusals import Problem, Refused, field_refusal
from services.ingest.settings import ChatSettings
from services.ingest.sources import Present, Widget
from services.ingest.tracing import traceparent

MAX_BODY_BYTES: Final = 16 * 1024
ROUTE: Final = "/v1/chat/{widget}"

_BEARER: Final = "bearer "


class ChatEndpoint:
    """Serves every widget; what the page says of its visitor is shown to agents and trusted for nothing."""

    def __init__(self, present: Present, acceptor: Acceptor, clock: Clock, settings: ChatSettings) -> None:
        self._present = present
        self._acceptor = acceptor
        self._clock = clock
        self._key = settings.session_key_bytes()
        self._trusted_proxies = settings.trusted_proxies
        self._sessions = TokenBuckets(burst=settings.session_burst, per_second=settings.session_per_second)
        self._addresses = TokenBuckets(burst=settings.address_burst, per_second=settings.address_per_second)

    async def serve(self, request: Request) -> Response:
        """Answer a page: its preflight, its message, or a refusal that its script can read."""
        widget = self._present().widgets.get(request.path_params["widget"])
        if widget is None:
            raise Refused(Problem.NOT_FOUND, "Check the widget's id.")
        origin = request.headers.get("origin")
        _require_allowed(widget.normalizer.integration, origin)
        headers = cors_headers(
            origin, methods="POST, OPTIONS", request_headers="authorization, content-type", exposed="retry-after"
        )
        if request.method == "OPTIONS":
            return Response(status_code=204, headers=dict(headers))
        try:
            response = await self._receive(request, widget)
        except Refused as refused:
            response = refuse(refused, ROUTE)
        response.headers.update(headers)
        return response

    async def _receive(self, request: Request, widget: Widget) -> Response:
        self._limit(self._addresses, address_of(request, self._trusted_proxies))
        session, token = self._session(request.headers.get("authorization"), widget)
        self._limit(self._sessions, session.session)
        message = parse_chat(await read_body(request, MAX_BODY_BYTES))
        if isinstance(message, Invalid):
            raise field_refusal([message], integration=session.integration)
        message_id = message.id or uuid4()
        post = self._normalized(message, message_id, session, widget)
        receipt = await self._acceptor.accept([post])
        answer = {
            "session": session.session,
            "message": message_id,
            "post": post.event.message.post.name,
            "duplicate": bool(receipt.duplicates),
        }
        if token is not None:
            answer["session_token"] = token
        return Response(msgspec.json.encode(answer), media_type="application/json")

    def _session(self, authorization: str | None, widget: Widget) -> tuple[ChatSession, str | None]:
        """Continue the session of the caller's token, or open one and answer its new token as well."""
        integration = widget.normalizer.integration
        if authorization is None:
            session = new_session(integration.id, integration.tenant)
            return session, issue_session(self._key, session, now=self._clock())
        token = authorization[len(_BEARER) :] if authorization.lower().startswith(_BEARER) else ""
        try:
            session = verify_session(self._key, token.strip())
        except SessionInvalid:
            raise _session_refusal(integration.id) from None
        if (session.integration, session.tenant) != (integration.id, integration.tenant):
            raise _session_refusal(integration.id)
        return session, None

    def _limit(self, buckets: TokenBuckets, key: str) -> None:
        wait_seconds = buckets.take(key)
        if wait_seconds > 0:
            detail = "Wait as long as Retry-After says."
            raise Refused(Problem.RATE_LIMITED, detail, retry_after_seconds=wait_seconds)

    def _normalized(self, message: ChatMessage, message_id: UUID, session: ChatSession, widget: Widget) -> Accepted:
        now = self._clock()
        raw = chat_post(message, message_id, session.session, widget.network, received_at=now)
        result = (
            raw
            if isinstance(raw, Invalid)
            else widget.normalizer.normalize(raw, received_at=now, traceparent=traceparent())
        )
        if isinstance(result, Invalid):
            raise field_refusal([result], integration=session.integration)
        return result


def _require_allowed(integration: Integration, origin: str | None) -> None:
    if not is_allowed(origin, integration.allowed_origins):
        detail = "Add the page's origin to allowed_origins of the integration."
        raise Refused(Problem.ORIGIN_NOT_ALLOWED, detail, integration=integration.id)


def _session_refusal(integration: str) -> Refused:
    detail = "Leave the Authorization header out: a new session is opened."
    return Refused(Problem.SESSION_INVALID, detail, integration=integration)
