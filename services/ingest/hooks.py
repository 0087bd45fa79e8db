"""`POST /v1/hooks/{integration}`: signed deliveries of posts, as Standard Webhooks."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from chassis.clock import Clock
from services.ingest.accept import Acceptor
from services.ingest.body import read_body
from services.ingest.hookbody import parse_hook, position
from services.ingest.normalizer import Accepted, Normalizer
from services.ingest.rawpost import Invalid, RawPost
from services.ingest.refusals import Problem, Refused, field_refusal
from services.ingest.sources import STRANGER, Hook
from services.ingest.tracing import traceparent

MAX_BODY_BYTES: Final = 1024 * 1024


class HookEndpoint:
    """Takes a delivery whole or not at all."""

    def __init__(self, hooks: Mapping[str, Hook], acceptor: Acceptor, clock: Clock) -> None:
        self._hooks = hooks
        self._acceptor = acceptor
        self._clock = clock

    async def receive(self, request: Request) -> Response:
        """Answer 200 once every post of the delivery is durably kept, now or earlier."""
        body = await read_body(request, MAX_BODY_BYTES)
        hook = self._verified(request, body)
        posts = parse_hook(body, hook.network)
        if isinstance(posts, Invalid):
            raise field_refusal([posts], integration=hook.normalizer.integration.id)
        receipt = await self._acceptor.accept(self._normalized(hook.normalizer, posts))
        return Response(msgspec.json.encode(receipt._asdict()), media_type="application/json")

    def _verified(self, request: Request, body: bytes) -> Hook:
        """Find the integration by the path alone; a stranger and a bad signature get the same answer."""
        hook = self._hooks.get(request.path_params["integration"])
        verifier = hook.verifier if hook else STRANGER
        if not verifier.accepts(request.headers, body, self._clock()) or hook is None:
            detail = "Sign the raw body with a live secret, and send the present time as webhook-timestamp."
            raise Refused(Problem.SIGNATURE_INVALID, detail)
        return hook

    def _normalized(self, normalizer: Normalizer, posts: Sequence[RawPost]) -> list[Accepted]:
        received_at, trace = self._clock(), traceparent()
        accepted, errors = [], []
        for index, raw in enumerate(posts):
            result = normalizer.normalize(raw, received_at=received_at, traceparent=trace)
            if isinstance(result, Invalid):
                errors.append(position(len(posts), index, result))
            else:
                accepted.append(result)
        if errors:
            raise field_refusal(errors, integration=normalizer.integration.id)
        return accepted
