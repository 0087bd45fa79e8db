"""RoutingService over gRPC: dry runs, the queue of triage, corrections, and how a post came to be what it is."""

import asyncio
from typing import Final

import grpc

from ascolto.classification.v1 import classification_pb2 as classification
from ascolto.posts.v1 import post_pb2 as posts
from ascolto.routing.v1 import routing_service_pb2 as pb
from ascolto.routing.v1.routing_service_pb2_grpc import RoutingServiceServicer
from chassis.api_errors import not_found
from chassis.auth import require
from chassis.clock import Clock
from chassis.postgres import Pool
from services.routing.correcting import Corrections
from services.routing.corrections import Handle
from services.routing.decisions import Classifier, MixOf, classify_posts, no_mix
from services.routing.presentation import present
from services.routing.requests import Tokens, languages_of, page_size_of, post_of, received_of
from services.routing.store import decisions
from services.routing.store.decisions import Place, Seen

AGENT, ENGINEER, PRODUCT = "agent", "engineer", "product"
GRPC_SERVICE: Final = "ascolto.routing.v1.RoutingService"

Context = grpc.aio.ServicerContext[object, object]


class RoutingServicer(RoutingServiceServicer):
    """Answers for the tenant of the caller; no request can name another."""

    def __init__(  # noqa: PLR0913, PLR0917 - a composition holds its parts
        self,
        pool: Pool,
        classifier: Classifier,
        handle: Handle,
        corrections: Corrections,
        tokens: Tokens,
        clock: Clock,
        *,
        mix_of: MixOf = no_mix,
    ) -> None:
        self._pool = pool
        self._classifier = classifier
        self._handle = handle
        self._corrections = corrections
        self._tokens = tokens
        self._clock = clock
        self._mix_of = mix_of

    async def Classify(  # noqa: N802 - named by the proto
        self,
        request: pb.ClassifyRequest,
        context: Context,  # noqa: ARG002 - as above
    ) -> pb.ClassifyResponse:
        """What the models and rules would make of texts."""
        tenant = require(AGENT, ENGINEER).tenant
        received = received_of(request.items, tenant)
        judged = await asyncio.to_thread(classify_posts, self._classifier, received, self._mix_of)
        return pb.ClassifyResponse(
            results=[self._result(made, each.post) for made, each in zip(judged, received, strict=True)]
        )

    async def ListTriage(  # noqa: N802
        self,
        request: pb.ListTriageRequest,
        context: Context,  # noqa: ARG002
    ) -> pb.ListTriageResponse:
        """What waits for a person, by its priority time."""
        tenant = require(AGENT).tenant
        languages = languages_of(request.languages)
        after = self._tokens.place(tenant, languages, request.page_token)
        found, more = await decisions.triage(self._pool, tenant, languages, after, page_size_of(request.page_size))
        token = self._tokens.page(tenant, languages, _place(found[-1])) if more else ""
        return pb.ListTriageResponse(decisions=[present(seen) for seen in found], next_page_token=token)

    async def CorrectCategory(  # noqa: N802
        self,
        request: pb.CorrectCategoryRequest,
        context: Context,  # noqa: ARG002
    ) -> pb.CorrectCategoryResponse:
        """Let a post be what a person says that it is."""
        return pb.CorrectCategoryResponse(decision=await self._corrections.take(require(AGENT), request))

    async def GetDecision(  # noqa: N802
        self,
        request: pb.GetDecisionRequest,
        context: Context,  # noqa: ARG002
    ) -> pb.GetDecisionResponse:
        """What stands of a post, and what stood before."""
        tenant = require(AGENT, ENGINEER, PRODUCT).tenant
        name = post_of(request.post, tenant)
        seen = await decisions.one(self._pool, tenant, name)
        if seen is None:
            raise not_found(request.post)
        earlier = await decisions.earlier(self._pool, tenant, name)
        return pb.GetDecisionResponse(decision=present(seen), earlier=[present(each) for each in earlier])

    def _result(self, made: classification.Classification, post: posts.Post) -> pb.ClassifyResponse.Result:
        result = pb.ClassifyResponse.Result(classification=made)
        handling = self._handle(made, post, self._clock())
        if handling is not None:
            result.handling.CopyFrom(handling)
        return result


def _place(seen: Seen) -> Place:
    if seen.priority_at is None:
        raise AssertionError("what waits has its place in the queue")
    return Place(seen.priority_at, seen.post_name)
