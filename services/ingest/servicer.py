"""`IngestService`: posts from programs, in a stream of batches."""

from collections.abc import AsyncIterable, Sequence
from enum import auto
from typing import Any, Final

from ascolto.ingest.v1 import ingest_service_pb2 as ingest
from ascolto.ingest.v1 import ingest_service_pb2_grpc as ingest_grpc
from chassis.api_errors import ApiError, ErrorReason, invalid_argument, not_found, unavailable
from chassis.auth import Principal, require
from chassis.clock import Clock
from services.ingest import metrics
from services.ingest.accept import Acceptor
from services.ingest.normalizer import Accepted, Normalizer
from services.ingest.rawpost import Invalid
from services.ingest.refusals import Problem, Refused
from services.ingest.sources import Present
from services.ingest.submission import from_submitted
from services.ingest.tracing import traceparent

MAX_POSTS_PER_REQUEST: Final = 500
MAX_REJECTIONS: Final = 1_000
ROLE: Final = "engineer"


class IngestReason(ErrorReason):
    """Why posts could not be kept; the call may be repeated as it was."""

    STORE_UNAVAILABLE = auto()
    ACCEPT_QUEUE_FULL = auto()


class IngestServicer(ingest_grpc.IngestServiceServicer):
    """Keeps each request of a stream before it reads the next: the sender feels how fast we are."""

    def __init__(self, present: Present, acceptor: Acceptor, clock: Clock) -> None:
        self._present = present
        self._acceptor = acceptor
        self._clock = clock

    async def SubmitPosts(  # noqa: N802 - named by the proto
        self,
        request_iterator: AsyncIterable[ingest.SubmitPostsRequest],
        context: Any,  # noqa: ANN401, ARG002
    ) -> ingest.SubmitPostsResponse:
        """Accept a stream; what an interrupted one had sent is kept, and recognised when it is sent again."""
        principal = require(ROLE)
        tally = Tally()
        integration = ""
        async for request in request_iterator:
            normalizer = self._normalizer(principal, request, integration or request.integration)
            integration = request.integration
            await self._keep(self._normalized(normalizer, request, tally), tally)
        return tally.response()

    def _normalizer(self, principal: Principal, request: ingest.SubmitPostsRequest, integration: str) -> Normalizer:
        """The integration that speaks; another tenant's is as unknown as one that does not exist."""
        if request.integration != integration:
            raise invalid_argument("integration", "is the same on every request of a stream")
        if len(request.posts) > MAX_POSTS_PER_REQUEST:
            raise invalid_argument("posts", f"holds {len(request.posts)}; at most {MAX_POSTS_PER_REQUEST}")
        normalizer = self._present().all.get(integration)
        if normalizer is None or normalizer.integration.tenant != principal.tenant:
            raise not_found("integration of this name")
        return normalizer

    def _normalized(self, normalizer: Normalizer, request: ingest.SubmitPostsRequest, tally: "Tally") -> list[Accepted]:
        received_at, trace = self._clock(), traceparent()
        accepted = []
        for submitted in request.posts:
            raw = from_submitted(submitted)
            result = (
                raw
                if isinstance(raw, Invalid)
                else normalizer.normalize(raw, received_at=received_at, traceparent=trace)
            )
            if isinstance(result, Invalid):
                tally.reject(result)
            else:
                accepted.append(result)
            tally.posts += 1
        return accepted

    async def _keep(self, posts: Sequence[Accepted], tally: "Tally") -> None:
        if not posts:
            return
        try:
            receipt = await self._acceptor.accept(posts)
        except Refused as refused:
            raise _unavailable(refused) from None
        tally.accepted += len(receipt.accepted)
        tally.duplicates += len(receipt.duplicates)


class Tally:
    """What became of the posts of one stream so far."""

    def __init__(self) -> None:
        self.posts = 0
        self.accepted = 0
        self.duplicates = 0
        self._rejected = 0
        self._rejections: list[ingest.Rejection] = []

    def reject(self, invalid: Invalid) -> None:
        """Count the post at the present position as not taken, and remember why."""
        self._rejected += 1
        metrics.refused(Problem.FIELD_INVALID.name)
        if len(self._rejections) < MAX_REJECTIONS:
            self._rejections.append(
                ingest.Rejection(index=self.posts, field=invalid.field, description=invalid.description)
            )

    def response(self) -> ingest.SubmitPostsResponse:
        """The answer to the whole stream."""
        return ingest.SubmitPostsResponse(
            accepted_count=self.accepted,
            duplicate_count=self.duplicates,
            rejected_count=self._rejected,
            rejections=self._rejections,
        )


def _unavailable(refused: Refused) -> ApiError:
    reason = IngestReason[refused.problem.name]
    return unavailable(reason, refused.detail, retry_after_seconds=refused.retry_after_seconds or 1.0)
