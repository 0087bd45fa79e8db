"""What routing is made of, and in which order its parts start and stop."""

from dataclasses import dataclass
from functools import partial

from faststream import AckPolicy

from chassis.auth import Authenticator, AuthSettings
from chassis.grpc_server import GrpcServer, GrpcSettings
from chassis.kafka import DeadLetters, Fuse, KafkaSettings, Subscription, build_broker, pipe_batches, running
from chassis.lifecycle import Lifecycle
from chassis.ready import ReadySettings
from chassis.settings import load_all
from chassis.telemetry import TelemetrySettings
from contracts.codec import decode
from contracts.topics import CLASSIFIED, POSTS, ROUTING
from services.routing.classifier import LinearClassifier
from services.routing.decisions import classify_batch
from services.routing.settings import RoutingSettings

NAME = ROUTING


@dataclass(frozen=True)
class Settings:
    """Everything that routing can be told."""

    routing: RoutingSettings
    kafka: KafkaSettings
    grpc: GrpcSettings
    auth: AuthSettings
    telemetry: TelemetrySettings
    ready: ReadySettings


def load_settings() -> Settings:
    """Read the environment; ends the process with 78 and says what to mend where it is wrong."""
    return load_all(Settings)


async def start(lifecycle: Lifecycle, settings: Settings, *, ack_policy: AckPolicy = AckPolicy.NACK_ON_ERROR) -> int:
    """Start everything and answer the port of gRPC; `ack_policy` is for the test that seeds a loss."""
    dead_letters = await lifecycle.enter(DeadLetters(settings.kafka, client_id=NAME, fuse=Fuse()))
    broker = build_broker(settings.kafka, client_id=NAME, ack_policy=ack_policy)
    classifier = LinearClassifier.load(settings.routing.model_file)
    subscription = pipe_batches(
        broker,
        topics=[POSTS.name],
        group=ROUTING,
        decode=decode,
        transform=partial(classify_batch, classifier),
        dead_letters=dead_letters,
        output_topics=[topic.name for topic in CLASSIFIED],
        batch_max_records=settings.routing.batch_max_records,
    )
    await lifecycle.enter(running(broker))
    lifecycle.background(subscription.wait_failed(), "routing")
    lifecycle.health.add_liveness("routing", partial(_stalled, subscription))
    server = await lifecycle.enter(GrpcServer(settings.grpc, [], Authenticator(settings.auth), lifecycle.health))
    return server.port


def _stalled(subscription: Subscription) -> str | None:
    return None if subscription.progress.is_live() else "there are posts to classify and none moves"
