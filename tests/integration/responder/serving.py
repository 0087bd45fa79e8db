"""A whole responder in this process: real Kafka, real PostgreSQL, real gRPC and HTTP, and people with tokens."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import httpx

from ascolto.approvals.v1.approval_service_pb2_grpc import ApprovalServiceStub
from chassis.auth import AuthSettings
from chassis.dev_issuer import DevIssuer, DevIssuerSettings
from chassis.grpc_client import open_channel
from chassis.grpc_server import GrpcSettings
from chassis.http_server import HttpSettings
from chassis.inbox import InboxSettings
from chassis.kafka import KafkaSettings, Publisher
from chassis.lifecycle import Lifecycle
from chassis.outbox import RelaySettings
from chassis.postgres import Pool, PostgresSettings
from chassis.ready import ReadySettings
from chassis.telemetry import TelemetrySettings
from services.responder.drafter import TemplateDrafter
from services.responder.knowledge import load_articles
from services.responder.service import Resources, Settings, start
from services.responder.settings import DispatchSettings, DraftingSettings, ResponderSettings
from tests.integration.responder.desk import KNOWLEDGE, Said, integrations, outgoing_of

Stub = Any
"""ApprovalServiceStub: its generated types know the blocking form only."""
T = TypeVar("T")


@dataclass
class Served:
    """A responder under test."""

    grpc_port: int
    http: httpx.AsyncClient
    issuer: DevIssuer
    kafka: KafkaSettings
    stack: AsyncExitStack
    settings: Settings

    async def caller(self, subject: str = "ann", tenant: str = "acme", roles: Iterable[str] = ("approver",)) -> Stub:
        token = self.issuer.mint(subject, tenant, roles)
        channel = open_channel(f"127.0.0.1:{self.grpc_port}", token)
        return ApprovalServiceStub(await self.stack.enter_async_context(channel))

    async def say(self, *messages: Said) -> None:
        await publish(self.kafka, *messages)


async def publish(kafka: KafkaSettings, *messages: Said) -> None:
    """Write what routing would have written."""
    async with Publisher(kafka, client_id="test") as publisher:
        await publisher.publish_all([outgoing_of(each) for each in messages])


async def until(ask: Callable[[], Awaitable[T]], *, timeout_seconds: float = 60.0) -> T:
    """Ask until the answer is true, no longer than the deadline."""
    async with asyncio.timeout(timeout_seconds):
        while not (answer := await ask()):  # noqa: ASYNC110 - others' databases and servers send no event
            await asyncio.sleep(0.05)
    return answer


async def until_quiet(pool: Pool, posts: int) -> None:
    """Wait until that many changes of posts are taken in, drafted and published."""

    async def quiet() -> bool:
        row = await pool.fetchrow(
            "SELECT (SELECT count(*) FROM post) AS posts, (SELECT count(*) FROM draft_job) AS jobs, "
            "(SELECT count(*) FROM outbox) AS waiting"
        )
        assert row is not None
        return row["posts"] >= posts and not row["jobs"] and not row["waiting"]

    await until(quiet)


def settings_for(postgres: PostgresSettings, kafka: str, issuer: str) -> Settings:
    return Settings(
        responder=ResponderSettings(profile="local"),
        drafting=DraftingSettings(),
        dispatch=DispatchSettings(),
        http=HttpSettings(port=0, drain_seconds=2.0),
        grpc=GrpcSettings(profile="local", drain_seconds=0.0, stop_grace_seconds=2.0),
        auth=AuthSettings(profile="local", issuer=issuer),
        postgres=postgres,
        kafka=KafkaSettings(bootstrap_servers=(kafka,)),
        relay=RelaySettings(poll_seconds=0.1, drain_seconds=2.0),
        inbox=InboxSettings(),
        telemetry=TelemetrySettings(profile="local"),
        ready=ReadySettings(),
    )


@asynccontextmanager
async def serving(postgres: PostgresSettings, kafka: str) -> AsyncIterator[Served]:
    """Serve inside the block; the group goes on where the test before stopped."""
    async with AsyncExitStack() as stack:
        issuer = await stack.enter_async_context(DevIssuer(DevIssuerSettings(profile="local")))
        settings = settings_for(postgres, kafka, issuer.url)
        resources = Resources(integrations(), TemplateDrafter(load_articles(Path(KNOWLEDGE))))
        lifecycle = Lifecycle(grace_seconds=15.0)
        try:
            ports = await start(lifecycle, settings, resources)
            base = f"http://127.0.0.1:{ports.http}"
            http = await stack.enter_async_context(httpx.AsyncClient(base_url=base, trust_env=False, timeout=20.0))
            yield Served(ports.grpc, http, issuer, settings.kafka, stack, settings)
        finally:
            await lifecycle.drain()
        assert lifecycle.failures == []
