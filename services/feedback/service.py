"""What feedback is made of, and in which order its parts start and stop."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final

from faststream import AckPolicy

from ascolto.insights.v1.insights_service_pb2_grpc import add_InsightsServiceServicer_to_server
from chassis.auth import Authenticator, AuthSettings
from chassis.clock import utc_now
from chassis.cursor import CursorCodec
from chassis.grpc_server import GrpcServer, GrpcSettings, Service
from chassis.kafka import DeadLetters, KafkaSettings, build_broker, consume_batches, running, watch
from chassis.lifecycle import Lifecycle
from chassis.postgres import POSTGRES_UNAVAILABLE, Pool, PostgresSettings, open_pool
from chassis.ready import ReadySettings
from chassis.settings import load_all
from chassis.telemetry import TelemetrySettings, setup
from contracts.topics import FEEDBACK, consumed_by
from services.feedback.coverage import keep_complete_through
from services.feedback.facts import read
from services.feedback.handlers import Projector
from services.feedback.presence import present
from services.feedback.servicer import InsightsServicer
from services.feedback.settings import CoverageSettings, FeedbackSettings, WatchSettings
from services.feedback.tailer import Tailer

NAME: Final = FEEDBACK
GRPC_SERVICE: Final = "ascolto.insights.v1.InsightsService"
_PART_OF_GRACE: Final = 0.8


@dataclass(frozen=True)
class Settings:
    """Everything that feedback can be told."""

    feedback: FeedbackSettings
    watch: WatchSettings
    coverage: CoverageSettings
    grpc: GrpcSettings
    auth: AuthSettings
    postgres: PostgresSettings
    kafka: KafkaSettings
    telemetry: TelemetrySettings
    ready: ReadySettings

    @property
    def max_stream_seconds(self) -> float:
        """When a stream is asked to come back.

        A connection is closed at its age plus a grace; a stream that lives for less than the grace ends in time,
        however old the connection was when it was opened.
        """
        return _PART_OF_GRACE * min(self.grpc.max_connection_age_seconds, self.grpc.max_connection_age_grace_seconds)


@dataclass(frozen=True, slots=True)
class Ports:
    """Where a started feedback listens."""

    grpc: int


def load_settings() -> Settings:
    """Read the environment; ends the process with 78 and says what to mend where it is wrong."""
    return load_all(Settings)


async def start(lifecycle: Lifecycle, settings: Settings, *, ack_policy: AckPolicy = AckPolicy.NACK_ON_ERROR) -> Ports:
    """Start everything; the server comes last, so that it stops first. `ack_policy` is for tests that seed a loss."""
    pool = await lifecycle.enter(open_pool(settings.postgres, schema=NAME, application_name=NAME))
    presence = await lifecycle.enter(present(settings.postgres, schema=NAME))
    lifecycle.background(presence.keep(), "presence")
    tailer = Tailer(pool, settings.watch)
    lifecycle.background(tailer.run(), "tailer")
    await _start_consumer(lifecycle, settings, pool, tailer, ack_policy)
    lifecycle.background(keep_complete_through(pool, settings.kafka, settings.coverage, utc_now), "coverage")
    return await _start_server(lifecycle, settings, pool, tailer)


async def _start_consumer(
    lifecycle: Lifecycle, settings: Settings, pool: Pool, tailer: Tailer, ack_policy: AckPolicy
) -> None:
    broker = build_broker(settings.kafka, client_id=NAME, ack_policy=ack_policy)
    dead_letters = await lifecycle.enter(DeadLetters(settings.kafka, client_id=NAME))
    subscription = consume_batches(
        broker,
        topics=[topic.name for topic in consumed_by(NAME)],
        group=NAME,
        decode=read,
        handle=Projector(pool, utc_now, on_commit=tailer.hint).handle,
        dead_letters=dead_letters,
        transient=POSTGRES_UNAVAILABLE,
    )
    await lifecycle.enter(running(broker))
    watch(lifecycle, subscription, "consumer")


async def _start_server(lifecycle: Lifecycle, settings: Settings, pool: Pool, tailer: Tailer) -> Ports:
    servicer = InsightsServicer(
        pool,
        tailer,
        CursorCodec(settings.feedback.cursor_key_bytes()),
        checkpoint_seconds=settings.watch.checkpoint_seconds,
        max_stream_seconds=settings.max_stream_seconds,
    )
    service = Service(GRPC_SERVICE, partial(add_InsightsServiceServicer_to_server, servicer))
    server = GrpcServer(settings.grpc, [service], Authenticator(settings.auth), lifecycle.health)
    return Ports(grpc=(await lifecycle.enter(server)).port)


@asynccontextmanager
async def telemetry(settings: TelemetrySettings) -> AsyncIterator[None]:
    """Trace and measure inside the block; it is global, so a process enters it once."""
    providers = setup(settings, NAME)
    try:
        yield
    finally:
        await providers.shutdown()
