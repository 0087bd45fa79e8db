"""`/v1/hooks/{integration}`: signed deliveries of networks and programs, and what networks ask before they deliver."""

import asyncio
from typing import Final

import msgspec
import structlog
from starlette.requests import Request
from starlette.responses import Response

from chassis.clock import Clock
from services.ingest import metrics
from services.ingest.accept import Acceptor, Receipt
from services.ingest.body import read_body
from services.ingest.connector import Reason
from services.ingest.deliveries import Delivery, read_delivery
from services.ingest.handshakes import JSON, Answer, answer_greeting, answer_question, is_question, wants_silence
from services.ingest.heartbeats import Heartbeats
from services.ingest.inbound import refuse
from services.ingest.refusals import Problem, Refused
from services.ingest.sources import Hook, Present
from services.ingest.tracing import traceparent

ROUTE: Final = "/v1/hooks/{integration}"
METHODS: Final = ("GET", "POST")
MAX_BODY_BYTES: Final = 1024 * 1024
REFUSAL_SECONDS: Final = 0.05
"""How long it takes at least to learn that one is not known: longer than any check, so that the time tells nothing."""

_ODD: Final = frozenset({Reason.INVALID, Reason.MALFORMED, Reason.NO_ID})
"""What a network should not send: people look into it."""
_log = structlog.get_logger(__name__)


class HookEndpoint:
    """Takes a delivery whole or not at all."""

    def __init__(self, present: Present, acceptor: Acceptor, clock: Clock, heartbeats: Heartbeats) -> None:
        self._present = present
        self._acceptor = acceptor
        self._clock = clock
        self._heartbeats = heartbeats

    async def serve(self, request: Request) -> Response:
        """Answer a network's question, or take its delivery."""
        return await (self.receive(request) if request.method == "POST" else self.answer(request))

    async def answer(self, request: Request) -> Response:
        """Answer a GET of a network that wants to know whether this address is its account's."""
        query = request.query_params
        if not is_question(query):
            response = refuse(Refused(Problem.METHOD_NOT_ALLOWED, "Deliver by POST."), ROUTE)
            response.headers["allow"] = "POST"
            return response
        known_at = _refusal_time()
        hook = self._hook(request)
        answer = answer_question(hook.scheme, query, hook.keys) if hook else None
        if answer is None:
            await _until(known_at)
            detail = "Give the integration the verify token and the secret of its network, and check the address."
            raise Refused(Problem.SIGNATURE_INVALID, detail)
        return _told(answer)

    async def receive(self, request: Request) -> Response:
        """Answer 200 once every post of the delivery is durably kept, now or earlier."""
        body = await read_body(request, MAX_BODY_BYTES)
        hook = await self._verified(request, body)
        if (greeting := answer_greeting(hook.scheme, body)) is not None:
            return _told(greeting)
        delivery = read_delivery(hook, request.headers, body, received_at=self._clock(), traceparent=traceparent())
        _count(hook, delivery)
        receipt = await self._acceptor.accept(delivery.accepted) if delivery.accepted else Receipt([], [])
        return _receipt(hook, receipt, delivery)

    async def _verified(self, request: Request, body: bytes) -> Hook:
        """Find the integration by the path alone; a stranger and a bad signature get the same answer, as late."""
        known_at = _refusal_time()
        hook = self._hook(request)
        if hook is None or not hook.verifier.accepts(request.headers, body, self._clock()):
            # Whoever only tries addresses signs nothing, and must not make it look as if our secret were wrong.
            if hook is not None and hook.scheme.header in request.headers:
                self._heartbeats.refused(hook.normalizer.integration.id)
            await _until(known_at)
            detail = (
                "Sign the raw body with a live secret, as the network signs, at the present time where it is signed."
            )
            raise Refused(Problem.SIGNATURE_INVALID, detail)
        self._heartbeats.verified(hook.normalizer.integration.id)
        return hook

    def _hook(self, request: Request) -> Hook | None:
        return self._present().hooks.get(request.path_params["integration"])


def _refusal_time() -> float:
    return asyncio.get_running_loop().time() + REFUSAL_SECONDS


async def _until(loop_time: float) -> None:
    await asyncio.sleep(loop_time - asyncio.get_running_loop().time())


def _told(answer: Answer) -> Response:
    headers = {"x-content-type-options": "nosniff", "cache-control": "no-store"}
    return Response(answer.body, answer.status, headers, answer.media_type)


def _count(hook: Hook, delivery: Delivery) -> None:
    for reason, count in delivery.ignored.items():
        metrics.ignored(reason, count)
        if reason in _ODD:
            integration = hook.normalizer.integration.id
            _log.warning("delivery_odd", integration=integration, network=hook.network, reason=reason.name, count=count)


def _receipt(hook: Hook, receipt: Receipt, delivery: Delivery) -> Response:
    if wants_silence(hook.scheme):
        return Response(status_code=204)
    told: dict[str, object] = dict(receipt._asdict())
    if hook.connector is not None:
        told["ignored"] = {reason.name: count for reason, count in delivery.ignored.items()}
    return Response(msgspec.json.encode(told), media_type=JSON)
