"""The servicer behind a real gRPC server, and callers with roles."""

from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import uuid4

import grpc
import pytest

from ascolto.classification.v1 import classification_pb2 as classification
from ascolto.routing.v1 import routing_service_pb2 as pb
from ascolto.routing.v1.routing_service_pb2_grpc import RoutingServiceStub, add_RoutingServiceServicer_to_server
from chassis.auth import Authenticator, AuthSettings
from chassis.clock import utc_now
from chassis.cursor import CursorCodec
from chassis.dev_issuer import DevIssuer, DevIssuerSettings
from chassis.grpc_client import explain_details, open_channel
from chassis.grpc_server import GrpcServer, GrpcSettings, Service
from chassis.health import Health
from chassis.postgres import Pool
from services.routing.correcting import Corrections
from services.routing.corrections import Handle, no_rules
from services.routing.decisions import MixOf, no_mix
from services.routing.judgement import Category, Judgement, Kind, Mix, Text
from services.routing.requests import Tokens
from services.routing.servicer import GRPC_SERVICE, RoutingServicer
from tests.integration.routing.records import QUESTION

Stub = Any
"""RoutingServiceStub: its generated types know the blocking form only."""


class Parrot:
    """A classifier that says of every text what its first word names."""

    model = "models/parrot@1"

    def classify(self, texts: Sequence[Text]) -> list[Judgement]:
        return [self._judge(Category(text.text.split()[0]), text.mix) for text in texts]

    def _judge(self, category: Category, mix: Mix | None) -> Judgement:
        return Judgement(
            category=category,
            abstained=False,
            probabilities={each: 0.97 if each is category else 0.01 for each in Category},
            language="en",
            reasons=(),
            model=self.model,
            kind=Kind.SERVICE_PROBLEM if category is Category.COMPLAINT else Kind.INFORMATION_REQUEST,
            sentiment=3,
            mix=mix,
        )


@dataclass
class Served:
    """A server under test."""

    server: GrpcServer
    issuer: DevIssuer
    stack: AsyncExitStack

    async def caller(self, *roles: str, tenant: str = "acme", subject: str = "ada") -> Stub:
        token = self.issuer.mint(subject, tenant, roles or ("agent",))
        return RoutingServiceStub(
            await self.stack.enter_async_context(open_channel(f"127.0.0.1:{self.server.port}", token))
        )


@asynccontextmanager
async def serving(pool: Pool, handle: Handle = no_rules, mix_of: MixOf = no_mix) -> AsyncIterator[Served]:
    corrections = Corrections(pool, utc_now, handle, on_corrections=lambda: None)
    servicer = RoutingServicer(
        pool, Parrot(), handle, corrections, Tokens(CursorCodec([b"k" * 32])), utc_now, mix_of=mix_of
    )
    async with AsyncExitStack() as stack:
        issuer = await stack.enter_async_context(DevIssuer(DevIssuerSettings(profile="local")))
        authenticator = Authenticator(AuthSettings(profile="local", issuer=issuer.url))
        service = Service(GRPC_SERVICE, partial(add_RoutingServiceServicer_to_server, servicer))
        server = GrpcServer(GrpcSettings(port=0, stop_grace_seconds=5), [service], authenticator, Health())
        await stack.enter_async_context(server)
        yield Served(server, issuer, stack)


async def decision_of(stub: Stub, post: str) -> pb.Decision:
    answer: pb.GetDecisionResponse = await stub.GetDecision(pb.GetDecisionRequest(post=post))
    return answer.decision


def correction(
    standing: pb.Decision, category: classification.Category.ValueType = QUESTION, **parts: Any
) -> pb.CorrectCategoryRequest:
    """A request to correct what stands."""
    request = pb.CorrectCategoryRequest(
        post=standing.post_name, category=category, etag=standing.etag, request_id=str(uuid4()), reason="they ask"
    )
    request.MergeFrom(pb.CorrectCategoryRequest(**parts))
    return request


async def correct(
    stub: Stub, post: str, category: classification.Category.ValueType = QUESTION, **parts: Any
) -> pb.Decision:
    """Read what stands, and correct it."""
    request = correction(await decision_of(stub, post), category, **parts)
    answer: pb.CorrectCategoryResponse = await stub.CorrectCategory(request)
    return answer.decision


async def outcomes(calls: Iterable[Any]) -> list[str]:
    """Of each call its status, or the reason of its ApiError."""
    return [await outcome(call) for call in calls]


async def outcome(call: Any) -> str:
    try:
        await call
    except grpc.aio.AioRpcError as error:
        details = explain_details(error)
        return details.reason if details else error.code().name
    return "OK"


async def reason_of(call: Any) -> tuple[str, str]:
    """The status and reason of the ApiError that `call` ends in."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call
    details = explain_details(caught.value)
    return caught.value.code().name, details.reason if details else ""
