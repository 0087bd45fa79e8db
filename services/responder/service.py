"""What responder is made of, and in which order its parts start and stop."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Final

import httpx

from ascolto.approvals.v1.approval_service_pb2_grpc import add_ApprovalServiceServicer_to_server
from chassis.auth import Authenticator, AuthSettings
from chassis.clock import utc_now
from chassis.cursor import CursorCodec
from chassis.grpc_server import GrpcServer, GrpcSettings, Service
from chassis.http_server import HttpSettings, serve_http
from chassis.inbox import InboxSettings, keep_pruned
from chassis.kafka import DeadLetters, KafkaSettings, Publisher, build_broker, consume_batches, running, watch
from chassis.lifecycle import Lifecycle
from chassis.outbox import Relay, RelaySettings
from chassis.postgres import POSTGRES_UNAVAILABLE, Pool, PostgresSettings, open_pool
from chassis.ready import ReadySettings
from chassis.settings import load_all
from chassis.telemetry import TelemetrySettings, setup
from contracts.integrations import Integration, WebhookReply, load_integrations
from services.responder.channels.webhook import WebhookChannel, check_url
from services.responder.decisions import Decisions
from services.responder.dispatcher import Dispatcher
from services.responder.drafter import Drafter, TemplateDrafter
from services.responder.drafting import DraftingWorker
from services.responder.handlers import GROUP, TOPICS, Handlers
from services.responder.knowledge import load_articles
from services.responder.presence import SCHEMA, keep_present
from services.responder.requests import Tokens
from services.responder.sending import SendingNotes
from services.responder.servicer import ApprovalServicer
from services.responder.settings import DispatchSettings, DraftingSettings, ResponderSettings
from services.responder.upkeep import Upkeep
from services.responder.watch import Hub, Watch
from services.responder.web import ChatMessages, build_app

NAME: Final = "responder"
GRPC_SERVICE: Final = "ascolto.approvals.v1.ApprovalService"
_CONNECT_SECONDS: Final = 5.0
_PART_OF_GRACE: Final = 0.8


@dataclass(frozen=True)
class Settings:
    """Everything that responder can be told."""

    responder: ResponderSettings
    drafting: DraftingSettings
    dispatch: DispatchSettings
    http: HttpSettings
    grpc: GrpcSettings
    auth: AuthSettings
    postgres: PostgresSettings
    kafka: KafkaSettings
    relay: RelaySettings
    inbox: InboxSettings
    telemetry: TelemetrySettings
    ready: ReadySettings

    @property
    def max_stream_seconds(self) -> float:
        """When a stream is asked to come back: before its connection is closed for its age."""
        return _PART_OF_GRACE * min(self.grpc.max_connection_age_seconds, self.grpc.max_connection_age_grace_seconds)


@dataclass(frozen=True, slots=True)
class Resources:
    """What is read from files before anything starts."""

    integrations: Mapping[str, Integration]
    drafter: Drafter


@dataclass(frozen=True, slots=True)
class Ports:
    """Where a started responder listens."""

    http: int
    grpc: int


def load_settings() -> Settings:
    """Read the environment; ends the process with 78 and says what to mend where it is wrong."""
    return load_all(Settings)


def load_resources(settings: ResponderSettings) -> Resources:
    """Read integrations and articles; raises `IntegrationsError` or `KnowledgeError`."""
    integrations = load_integrations(settings.integrations_file)
    for each in integrations.values():
        if isinstance(each.reply, WebhookReply):
            check_url(each.id, "reply.url", str(each.reply.url), settings.profile)
            check_url(each.id, "reply.lookup_url", str(each.reply.lookup_url or each.reply.url), settings.profile)
    return Resources(integrations, TemplateDrafter(load_articles(settings.knowledge_dir)))


async def start(lifecycle: Lifecycle, settings: Settings, resources: Resources) -> Ports:
    """Start everything; what takes work comes last, so that it stops first and its work is still kept."""
    pool = await lifecycle.enter(open_pool(settings.postgres, schema=NAME, application_name=NAME))
    await _be_present(lifecycle, settings)
    hub = Hub()
    relay = await _start_relay(lifecycle, settings)

    def on_facts() -> None:
        relay.hint()
        hub.notify()

    dispatcher = await _start_dispatcher(lifecycle, settings, resources, pool, on_facts)

    def on_decided() -> None:
        on_facts()
        dispatcher.hint()

    drafting = DraftingWorker(pool, resources.drafter, settings.drafting, utc_now, on_facts)
    lifecycle.background(drafting.run(), "drafting")
    lifecycle.background(Upkeep(pool, settings.drafting, utc_now, on_facts).run(), "upkeep")
    lifecycle.background(keep_pruned(pool, settings.inbox), "inbox")
    handlers = Handlers(pool, resources.integrations, utc_now, on_drafts=drafting.hint, on_facts=on_facts)
    await _start_consumer(lifecycle, settings, handlers)
    decisions = Decisions(pool, utc_now, on_decided)
    return await _start_servers(lifecycle, settings, resources, pool, decisions, hub)


async def _be_present(lifecycle: Lifecycle, settings: Settings) -> None:
    present = asyncio.Event()
    keeping = lifecycle.background(keep_present(settings.postgres, present), "presence")
    waiting = asyncio.create_task(present.wait())
    await asyncio.wait({keeping, waiting}, return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if keeping.done():
        await keeping


async def _start_relay(lifecycle: Lifecycle, settings: Settings) -> Relay:
    publisher = await lifecycle.enter(Publisher(settings.kafka, client_id=NAME))
    relay = Relay(
        settings.postgres, publisher, schema=SCHEMA, application_name=f"{NAME}-relay", settings=settings.relay
    )
    lifecycle.health.add_degradation("outbox", relay.trouble)
    lifecycle.background(relay.run(), "relay")
    return relay


async def _start_dispatcher(
    lifecycle: Lifecycle, settings: Settings, resources: Resources, pool: Pool, on_facts: Callable[[], None]
) -> Dispatcher:
    timeout = httpx.Timeout(settings.dispatch.request_timeout_seconds, connect=_CONNECT_SECONDS)
    http = await lifecycle.enter(
        httpx.AsyncClient(
            timeout=timeout,
            # A kept connection may die as a request goes out, and then nobody knows whether it arrived.
            limits=httpx.Limits(max_keepalive_connections=0),
            trust_env=settings.responder.profile != "local",
        )
    )
    channels = {
        each.id: WebhookChannel(each.reply, http, utc_now)
        for each in resources.integrations.values()
        if isinstance(each.reply, WebhookReply)
    }
    notes = SendingNotes(pool, settings.dispatch, utc_now, on_facts)
    dispatcher = Dispatcher(pool, notes, resources.integrations, channels, settings=settings.dispatch, clock=utc_now)
    lifecycle.background(dispatcher.run(), "dispatcher")
    return dispatcher


async def _start_consumer(lifecycle: Lifecycle, settings: Settings, handlers: Handlers) -> None:
    broker = build_broker(settings.kafka, client_id=NAME)
    dead_letters = await lifecycle.enter(DeadLetters(settings.kafka, client_id=NAME))
    subscription = consume_batches(
        broker,
        topics=TOPICS,
        group=GROUP,
        decode=handlers.decode,
        handle=handlers.handle,
        dead_letters=dead_letters,
        transient=POSTGRES_UNAVAILABLE,
    )
    await lifecycle.enter(running(broker))
    watch(lifecycle, subscription, "consumer")


async def _start_servers(  # noqa: PLR0913, PLR0917 - a composition holds its parts
    lifecycle: Lifecycle, settings: Settings, resources: Resources, pool: Pool, decisions: Decisions, hub: Hub
) -> Ports:
    tokens = Tokens(CursorCodec(settings.responder.cursor_key_bytes()))
    watch = Watch(pool, tokens, hub, max_seconds=settings.max_stream_seconds)
    servicer = ApprovalServicer(pool, decisions, tokens, watch)
    service = Service(GRPC_SERVICE, partial(add_ApprovalServiceServicer_to_server, servicer))
    grpc_server = await lifecycle.enter(
        GrpcServer(settings.grpc, [service], Authenticator(settings.auth), lifecycle.health)
    )
    widgets = {each.id: each for each in resources.integrations.values() if each.kind == "web_chat"}
    messages = ChatMessages(pool, widgets, settings.responder.session_key_bytes(), hub)
    http_server = await lifecycle.enter(serve_http(build_app(messages), settings.http))
    await lifecycle.enter(_ending_streams(messages))
    return Ports(http=http_server.port, grpc=grpc_server.port)


@asynccontextmanager
async def _ending_streams(messages: ChatMessages) -> AsyncIterator[None]:
    """Left before the HTTP server, which waits for its streams."""
    yield
    messages.stop()


@asynccontextmanager
async def telemetry(settings: TelemetrySettings) -> AsyncIterator[None]:
    """Trace and measure inside the block; it is global, so a process enters it once."""
    providers = setup(settings, NAME)
    try:
        yield
    finally:
        await providers.shutdown()
