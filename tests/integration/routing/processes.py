"""The whole service inside the test's own process, on the catalogue's topics."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from ascolto.routing.v1.routing_service_pb2_grpc import RoutingServiceStub
from chassis.auth import AuthSettings
from chassis.dev_issuer import DevIssuer, DevIssuerSettings
from chassis.grpc_client import open_channel
from chassis.grpc_server import GrpcSettings
from chassis.inbox import InboxSettings
from chassis.kafka import KafkaSettings, Publisher
from chassis.lifecycle import Lifecycle
from chassis.messages import Outgoing
from chassis.outbox import RelaySettings
from chassis.postgres import PostgresSettings
from chassis.ready import ReadySettings
from chassis.telemetry import TelemetrySettings
from contracts.topics import ROUTING, consumed_by, groups_of
from services.routing.language_model import LanguageModelSettings
from services.routing.service import Settings, load_rules, start
from services.routing.settings import RoutingSettings, TriageSettings
from tests.integration.groups import move, uncommitted_of
from tests.integration.routing.serving import Stub


@dataclass
class Process:
    """A started service."""

    lifecycle: Lifecycle
    port: int
    issuer: DevIssuer

    @asynccontextmanager
    async def caller(self, *roles: str, tenant: str = "acme") -> AsyncIterator[Stub]:
        token = self.issuer.mint("ada", tenant, roles or ("agent",))
        async with open_channel(f"127.0.0.1:{self.port}", token) as channel:
            yield RoutingServiceStub(channel)


@asynccontextmanager
async def process(
    postgres: PostgresSettings,
    kafka: KafkaSettings,
    language_model: LanguageModelSettings | None = None,
    routing: RoutingSettings | None = None,
) -> AsyncIterator[Process]:
    """Runs inside the block; leaving it stops the service as SIGTERM does."""
    async with DevIssuer(DevIssuerSettings(profile="local")) as issuer:
        settings = Settings(
            routing=routing or RoutingSettings(),
            triage=TriageSettings(profile="local"),
            language_model=language_model or LanguageModelSettings(),
            kafka=kafka,
            grpc=GrpcSettings(port=0),
            auth=AuthSettings(profile="local", issuer=issuer.url),
            postgres=postgres,
            relay=RelaySettings(),
            inbox=InboxSettings(),
            telemetry=TelemetrySettings(),
            ready=ReadySettings(),
        )
        lifecycle = Lifecycle(grace_seconds=15)
        try:
            port = await start(lifecycle, settings, load_rules(settings.routing))
            yield Process(lifecycle, port, issuer)
        finally:
            await lifecycle.drain()
        assert lifecycle.failures == []


async def publish(kafka: KafkaSettings, messages: Sequence[Outgoing]) -> None:
    async with Publisher(kafka, client_id="test") as publisher:
        await publisher.publish_all(messages)


async def uncommitted(kafka: KafkaSettings) -> int:
    """How many records the groups of routing have not committed."""
    return sum([await uncommitted_of(kafka, *each) for each in _groups()])


async def move_groups(kafka: KafkaSettings, *, to_end: bool) -> None:
    """Commit the ends or the beginnings for the groups of routing, which have no members at the moment."""
    for each in _groups():
        await move(kafka, *each, to_end=to_end)


def _groups() -> list[tuple[str, list[str]]]:
    return [(group, [topic.name for topic in consumed_by(group)]) for group in groups_of(ROUTING)]
