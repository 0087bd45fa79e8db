"""The servicer behind a real gRPC server, callers with roles, and readers that follow the stream."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import grpc
import pytest

from ascolto.insights.v1 import insights_service_pb2 as pb
from ascolto.insights.v1.insights_service_pb2_grpc import InsightsServiceStub, add_InsightsServiceServicer_to_server
from chassis.auth import Authenticator, AuthSettings
from chassis.cursor import CursorCodec
from chassis.dev_issuer import DevIssuer, DevIssuerSettings
from chassis.grpc_client import explain_details, open_channel
from chassis.grpc_server import GrpcServer, GrpcSettings, Service
from chassis.health import Health
from chassis.postgres import Pool
from services.feedback.service import GRPC_SERVICE
from services.feedback.servicer import InsightsServicer
from services.feedback.settings import WatchSettings
from services.feedback.tailer import Tailer

Stub = Any
"""InsightsServiceStub: its generated types know the blocking form only."""


@dataclass
class Served:
    """A server under test."""

    server: GrpcServer
    tailer: Tailer
    issuer: DevIssuer
    stack: AsyncExitStack

    async def caller(self, tenant: str = "acme", roles: Iterable[str] = ("product",)) -> Stub:
        token = self.issuer.mint("ada", tenant, roles)
        return InsightsServiceStub(
            await self.stack.enter_async_context(open_channel(f"127.0.0.1:{self.server.port}", token))
        )


@asynccontextmanager
async def serving(pool: Pool, *, max_stream_seconds: float = 60.0, **watch: float) -> AsyncIterator[Served]:
    settings = WatchSettings.model_validate({"poll_seconds": 0.05, "checkpoint_seconds": 0.3, **watch})
    tailer = Tailer(pool, settings)
    servicer = InsightsServicer(
        pool,
        tailer,
        CursorCodec([b"k" * 32]),
        checkpoint_seconds=settings.checkpoint_seconds,
        max_stream_seconds=max_stream_seconds,
    )
    tailing = asyncio.create_task(tailer.run())
    try:
        async with AsyncExitStack() as stack:
            issuer = await stack.enter_async_context(DevIssuer(DevIssuerSettings(profile="local")))
            authenticator = Authenticator(AuthSettings(profile="local", issuer=issuer.url))
            service = Service(GRPC_SERVICE, partial(add_InsightsServiceServicer_to_server, servicer))
            grpc_settings = GrpcSettings(port=0, stop_grace_seconds=5)
            server = GrpcServer(grpc_settings, [service], authenticator, Health())
            await stack.enter_async_context(server)
            yield Served(server, tailer, issuer, stack)
    finally:
        tailing.cancel()


@dataclass
class Reader:
    """A product team's program: keeps what it reads, and the cursor of the last frame."""

    stub: Stub
    filter: pb.Filter = field(default_factory=pb.Filter)
    cursor: bytes = b""
    insights: list[pb.Insight] = field(default_factory=list)
    frames: list[pb.WatchInsightsResponse] = field(default_factory=list)
    reading: asyncio.Event = field(default_factory=asyncio.Event)
    """Set with the first frame."""

    @property
    def event_ids(self) -> list[str]:
        return [insight.event_id for insight in self.insights]

    @property
    def texts(self) -> list[str]:
        return [insight.post.post.utterance.text for insight in self.insights if insight.HasField("post")]

    async def read(self, until: Callable[["pb.WatchInsightsResponse"], bool], *, timeout_seconds: float = 20.0) -> None:
        """Follow the stream until a frame that `until` holds for, or its end; then leave."""
        call = self.stub.WatchInsights(pb.WatchInsightsRequest(filter=self.filter, cursor=self.cursor))
        try:
            async with asyncio.timeout(timeout_seconds):
                async for frame in call:
                    self._keep(frame)
                    if until(frame):
                        return
        finally:
            call.cancel()

    async def catch_up(self) -> None:
        await self.read(is_caught_up)

    def _keep(self, frame: pb.WatchInsightsResponse) -> None:
        kind = frame.WhichOneof("frame")
        assert kind is not None
        self.frames.append(frame)
        self.reading.set()
        self.cursor = getattr(frame, kind).cursor
        if kind == "reset":
            self.insights.clear()
        self.insights += frame.batch.insights


def is_caught_up(frame: pb.WatchInsightsResponse) -> bool:
    return frame.checkpoint.caught_up


async def reason_of(call: Any) -> str:
    """The reason of the ApiError that `call` ends in."""
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await (call.read() if hasattr(call, "read") else call)
    details = explain_details(caught.value)
    return details.reason if details else ""
