"""The whole service inside the test's own process, on the catalogue's topics, and its consumer group moved about."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from ascolto.insights.v1.insights_service_pb2_grpc import InsightsServiceStub
from chassis.auth import AuthSettings
from chassis.dev_issuer import DevIssuer, DevIssuerSettings
from chassis.grpc_client import open_channel
from chassis.grpc_server import GrpcSettings
from chassis.kafka import KafkaSettings, Publisher
from chassis.lifecycle import Lifecycle
from chassis.messages import Outgoing
from chassis.postgres import PostgresSettings
from chassis.ready import ReadySettings
from chassis.telemetry import TelemetrySettings
from contracts.topics import FEEDBACK, consumed_by
from services.feedback.service import Settings, start
from services.feedback.settings import CoverageSettings, FeedbackSettings, WatchSettings
from tests.integration.feedback.serving import Reader

TOPICS = tuple(topic.name for topic in consumed_by(FEEDBACK))


@dataclass
class Process:
    """A started service."""

    lifecycle: Lifecycle
    port: int
    issuer: DevIssuer

    @asynccontextmanager
    async def reader(self, tenant: str) -> AsyncIterator[Reader]:
        """A reader of a tenant's insights."""
        token = self.issuer.mint("ada", tenant, ["product"])
        async with open_channel(f"127.0.0.1:{self.port}", token) as channel:
            yield Reader(InsightsServiceStub(channel))


@asynccontextmanager
async def process(postgres: PostgresSettings, kafka: KafkaSettings) -> AsyncIterator[Process]:
    """Runs inside the block; leaving it stops the service as SIGTERM does."""
    async with DevIssuer(DevIssuerSettings(profile="local")) as issuer:
        settings = Settings(
            feedback=FeedbackSettings(profile="local"),
            watch=WatchSettings(poll_seconds=0.05, checkpoint_seconds=0.3),
            coverage=CoverageSettings(interval_seconds=0.2),
            grpc=GrpcSettings(port=0),
            auth=AuthSettings(profile="local", issuer=issuer.url),
            postgres=postgres,
            kafka=kafka,
            telemetry=TelemetrySettings(),
            ready=ReadySettings(),
        )
        lifecycle = Lifecycle(grace_seconds=15)
        try:
            ports = await start(lifecycle, settings)
            yield Process(lifecycle, ports.grpc, issuer)
        finally:
            await lifecycle.drain()
        assert lifecycle.failures == []


async def publish(kafka: KafkaSettings, messages: Sequence[Outgoing]) -> None:
    async with Publisher(kafka, client_id="test") as publisher:
        await publisher.publish_all(messages)
