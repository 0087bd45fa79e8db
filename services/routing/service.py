"""What routing is made of, and in which order its parts start and stop."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, cast

from faststream import AckPolicy

from ascolto.posts.v1.post_pb2 import PostReceived
from ascolto.routing.v1.routing_service_pb2_grpc import add_RoutingServiceServicer_to_server
from chassis.auth import Authenticator, AuthSettings
from chassis.clock import utc_now
from chassis.cursor import CursorCodec
from chassis.grpc_server import GrpcServer, GrpcSettings, Service
from chassis.inbox import InboxSettings, keep_pruned
from chassis.kafka import (
    Broker,
    DeadLetters,
    Fuse,
    KafkaSettings,
    Prepared,
    Publisher,
    Subscription,
    build_broker,
    consume_batches,
    pipe_batches,
    running,
    watch,
)
from chassis.lifecycle import Lifecycle
from chassis.messages import Outgoing, Record
from chassis.outbox import Relay, RelaySettings
from chassis.postgres import POSTGRES_UNAVAILABLE, Pool, PostgresSettings, open_pool
from chassis.ready import ReadySettings
from chassis.settings import load_all
from chassis.telemetry import TelemetrySettings
from contracts.codec import Event, decode
from contracts.topics import CLASSIFIED, POSTS, ROUTING, ROUTING_DECISIONS
from services.routing.classifier import Cascade
from services.routing.correcting import Corrections
from services.routing.corrections import Handle
from services.routing.decisions import Classifier, MixOf, classify_batch
from services.routing.facts import read
from services.routing.handlers import Projector
from services.routing.keeping import keep, restore
from services.routing.labels import Label
from services.routing.language_model import LanguageModel, LanguageModelSettings
from services.routing.language_model.reconsidering import reconsidering
from services.routing.lookup import ClassifierOf, heeding_labels
from services.routing.metrics import Measured
from services.routing.requests import Tokens
from services.routing.rules.book import RuleBook
from services.routing.servicer import GRPC_SERVICE, RoutingServicer
from services.routing.settings import RoutingSettings, TriageSettings
from services.routing.upkeep import keep_requests_pruned

NAME: Final = ROUTING


@dataclass(frozen=True)
class Settings:
    """Everything that routing can be told."""

    routing: RoutingSettings
    triage: TriageSettings
    language_model: LanguageModelSettings
    kafka: KafkaSettings
    grpc: GrpcSettings
    auth: AuthSettings
    postgres: PostgresSettings
    relay: RelaySettings
    inbox: InboxSettings
    telemetry: TelemetrySettings
    ready: ReadySettings


def load_settings() -> Settings:
    """Read the environment; ends the process with 78 and says what to mend where it is wrong."""
    return load_all(Settings)


def load_rules(settings: RoutingSettings) -> RuleBook:
    """Read the tenants' rules; raises `RulesError` where their folder cannot be read."""
    return RuleBook.open(settings.rules_dir)


async def start(
    lifecycle: Lifecycle,
    settings: Settings,
    rules: RuleBook,
    *,
    ack_policy: AckPolicy = AckPolicy.NACK_ON_ERROR,
) -> int:
    """Start everything and answer the port of gRPC; `ack_policy` is for the test that seeds a loss."""
    pool = await lifecycle.enter(open_pool(settings.postgres, schema=NAME, application_name=NAME))
    await _start_rules(lifecycle, settings.routing, pool, rules)
    relay = await _start_relay(lifecycle, settings)
    lifecycle.background(keep_pruned(pool, settings.inbox), "inbox")
    lifecycle.background(keep_requests_pruned(pool), "upkeep")
    classifier = Cascade.load(settings.routing.model_file)
    broker = build_broker(settings.kafka, client_id=NAME, ack_policy=ack_policy)
    classified = await _classify(lifecycle, settings, broker, pool, classifier, rules)
    projector = Projector(pool, rules.handle, relay.hint)
    decided = await _keep_decisions(lifecycle, settings, broker, projector)
    await lifecycle.enter(running(broker))
    watch(lifecycle, classified, "routing")
    watch(lifecycle, decided, "decisions")
    return await _start_server(lifecycle, settings, pool, classifier, rules, relay.hint)


async def _start_rules(lifecycle: Lifecycle, settings: RoutingSettings, pool: Pool, rules: RuleBook) -> None:
    """From here on rules count as their files change, and outlive the process."""
    if settings.rules_dir is None:
        return
    lifecycle.health.add_degradation("rules", rules.trouble)
    await restore(pool, rules)
    lifecycle.background(rules.run(settings.rules_poll_seconds), "rules")
    lifecycle.background(keep(pool, rules, settings.rules_poll_seconds), "rules_kept")


async def _start_relay(lifecycle: Lifecycle, settings: Settings) -> Relay:
    publisher = await lifecycle.enter(Publisher(settings.kafka, client_id=NAME))
    relay = Relay(settings.postgres, publisher, schema=NAME, application_name=f"{NAME}-relay", settings=settings.relay)
    lifecycle.health.add_degradation("outbox", relay.trouble)
    lifecycle.background(relay.run(), "relay")
    return relay


async def _classify(  # noqa: PLR0913, PLR0917 - a composition holds its parts
    lifecycle: Lifecycle, settings: Settings, broker: Broker, pool: Pool, classifier: Classifier, rules: RuleBook
) -> Subscription:
    """The hot path: from posts to the topics of their categories."""
    dead_letters = await lifecycle.enter(DeadLetters(settings.kafka, client_id=NAME, fuse=Fuse()))
    return pipe_batches(
        broker,
        topics=[POSTS.name],
        group=ROUTING,
        decode=cast("Callable[[Record], Event[PostReceived]]", decode),  # of this topic it decodes nothing else
        transform=Prepared(
            heeding_labels(
                pool,
                await _classifier_of(lifecycle, settings.language_model, classifier),
                partial(_classify_batch, rules.handle),
                rules.mixes,
            ),
            transient=POSTGRES_UNAVAILABLE,
        ),
        dead_letters=dead_letters,
        output_topics=[topic.name for topic in CLASSIFIED],
        batch_max_records=settings.routing.batch_max_records,
    )


async def _classifier_of(lifecycle: Lifecycle, settings: LanguageModelSettings, classifier: Classifier) -> ClassifierOf:
    """The classifier, which asks a language model about what it is unsure of, where one is configured."""
    if settings.url is not None:
        return reconsidering(classifier, await lifecycle.enter(LanguageModel(settings)))

    async def alone(_: Sequence[PostReceived], __: MixOf) -> Classifier:
        return classifier

    return alone


def _classify_batch(
    handle: Handle,
    classifier: Classifier,
    events: Sequence[Event[PostReceived]],
    labels: Mapping[str, Label],
    mix_of: MixOf,
) -> Sequence[Outgoing]:
    return classify_batch(Measured.over(classifier), events, labels, handle, mix_of)


async def _keep_decisions(
    lifecycle: Lifecycle, settings: Settings, broker: Broker, projector: Projector
) -> Subscription:
    """Routing's own classifications, as they come back from the log."""
    dead_letters = await lifecycle.enter(DeadLetters(settings.kafka, client_id=ROUTING_DECISIONS))
    return consume_batches(
        broker,
        topics=[topic.name for topic in CLASSIFIED],
        group=ROUTING_DECISIONS,
        decode=read,
        handle=projector.handle,
        dead_letters=dead_letters,
        transient=POSTGRES_UNAVAILABLE,
    )


async def _start_server(  # noqa: PLR0913, PLR0917 - a composition holds its parts
    lifecycle: Lifecycle,
    settings: Settings,
    pool: Pool,
    classifier: Classifier,
    rules: RuleBook,
    on_corrections: Callable[[], None],
) -> int:
    tokens = Tokens(CursorCodec(settings.triage.cursor_key_bytes()))
    corrections = Corrections(pool, utc_now, rules.handle, on_corrections)
    servicer = RoutingServicer(pool, classifier, rules.handle, corrections, tokens, utc_now, mix_of=rules.mix_of)
    service = Service(GRPC_SERVICE, partial(add_RoutingServiceServicer_to_server, servicer))
    server = GrpcServer(settings.grpc, [service], Authenticator(settings.auth), lifecycle.health)
    return (await lifecycle.enter(server)).port
