"""What ingest is made of, and in which order its parts start and stop."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial

from ascolto.ingest.v1.ingest_service_pb2_grpc import add_IngestServiceServicer_to_server
from ascolto.ingest.v1.integrations_service_pb2_grpc import add_IntegrationsServiceServicer_to_server
from chassis.auth import Authenticator, AuthSettings
from chassis.clock import utc_now
from chassis.grpc_server import GrpcServer, GrpcSettings, Service
from chassis.http_server import HttpSettings, serve_http
from chassis.kafka import KafkaSettings, Publisher
from chassis.lifecycle import Lifecycle
from chassis.outbound import OutboundClient
from chassis.outbox import Relay, RelaySettings
from chassis.postgres import Pool, PostgresSettings, open_pool
from chassis.ready import ReadySettings
from chassis.settings import load_all
from chassis.telemetry import TelemetrySettings, setup
from contracts.integrations import load_integrations
from services.ingest import store
from services.ingest.accept import Acceptor, GroupCommit
from services.ingest.coverage_events import CoverageOutbox
from services.ingest.fetching.known import KeptPosts
from services.ingest.fetching.opening import Opener, fetched
from services.ingest.fetching.runner import Fetching
from services.ingest.fetching.sampling import Sampler
from services.ingest.fetching.source import Tools
from services.ingest.heartbeats import Heartbeats
from services.ingest.integrations_servicer import IntegrationsServicer
from services.ingest.normalizer import Normalizer
from services.ingest.registry import Registry
from services.ingest.sealing import Keyring
from services.ingest.servicer import IngestServicer
from services.ingest.settings import AcceptSettings, ChatSettings, IngestSettings
from services.ingest.sources import Sources, build_sources
from services.ingest.vigil import Vigil, charges
from services.ingest.web import build_app

NAME = "ingest"
GRPC_SERVICE = "ascolto.ingest.v1.IngestService"
INTEGRATIONS_SERVICE = "ascolto.ingest.v1.IntegrationsService"


@dataclass(frozen=True)
class Settings:
    """Everything that ingest can be told."""

    ingest: IngestSettings
    chat: ChatSettings
    accept: AcceptSettings
    http: HttpSettings
    grpc: GrpcSettings
    auth: AuthSettings
    postgres: PostgresSettings
    kafka: KafkaSettings
    relay: RelaySettings
    telemetry: TelemetrySettings
    ready: ReadySettings


@dataclass(frozen=True, slots=True)
class Ports:
    """Where a started ingest listens."""

    http: int
    grpc: int


def load_settings() -> Settings:
    """Read the environment; ends the process with 78 and says what to mend where it is wrong."""
    return load_all(Settings)


def load_sources(settings: IngestSettings) -> Sources:
    """Read the integrations; raises `IntegrationsError`."""
    return build_sources(load_integrations(settings.integrations_file), settings.pseudonym_key_bytes())


async def start(lifecycle: Lifecycle, settings: Settings, sources: Sources) -> Ports:
    """Start everything; the servers come last, so that they stop first and what they took is still kept.

    `sources` are the accounts of the file; those of the store join them.
    """
    relay = await _start_relay(lifecycle, settings)
    pool = await lifecycle.enter(open_pool(settings.postgres, schema=NAME, application_name=NAME))
    acceptor = _start_acceptor(lifecycle, settings, pool, relay)
    keyring = Keyring(settings.ingest.integrations_keys())
    registry = await _start_registry(lifecycle, settings.ingest, pool, keyring, sources)
    opener = await _start_fetching(lifecycle, settings, registry, pool, acceptor)
    services = _services(settings.ingest, registry, pool, keyring, acceptor, opener=opener)
    grpc_server = await lifecycle.enter(
        GrpcServer(settings.grpc, services, Authenticator(settings.auth), lifecycle.health)
    )
    heartbeats = Heartbeats(utc_now)
    lifecycle.background(heartbeats.run(pool), "heartbeats")
    app = build_app(registry.present, acceptor, utc_now, settings.chat, heartbeats)
    http_server = await lifecycle.enter(serve_http(app, settings.http))
    return Ports(http=http_server.port, grpc=grpc_server.port)


async def _start_relay(lifecycle: Lifecycle, settings: Settings) -> Relay:
    publisher = await lifecycle.enter(Publisher(settings.kafka, client_id=NAME))
    relay = Relay(settings.postgres, publisher, schema=NAME, application_name=f"{NAME}-relay", settings=settings.relay)
    lifecycle.health.add_degradation("outbox", relay.trouble)
    lifecycle.background(relay.run(), "relay")
    return relay


def _start_acceptor(lifecycle: Lifecycle, settings: Settings, pool: Pool, relay: Relay) -> GroupCommit:
    acceptor = GroupCommit(partial(store.keep, pool), settings.accept, on_commit=relay.hint)
    lifecycle.health.add_degradation("accept", acceptor.trouble)
    lifecycle.background(acceptor.run(), "accept")
    return acceptor


async def _start_registry(
    lifecycle: Lifecycle, settings: IngestSettings, pool: Pool, keyring: Keyring, file: Sources
) -> Registry:
    registry = Registry(file, pool, keyring, settings.pseudonym_key_bytes())
    await registry.refresh()
    lifecycle.health.add_degradation("integrations", registry.trouble)
    lifecycle.background(registry.run(settings.integrations_poll_seconds), "registry")
    return registry


async def _start_fetching(
    lifecycle: Lifecycle, settings: Settings, registry: Registry, pool: Pool, acceptor: Acceptor
) -> Opener:
    http = await lifecycle.enter(OutboundClient(local=settings.ingest.profile == "local"))
    opener = Opener(Tools(http, utc_now, KeptPosts(pool)), settings.ingest.pseudonym_key_bytes())
    sink = CoverageOutbox(registry.network_of, utc_now)
    fetching = Fetching(lambda: fetched(registry.present().all), opener, acceptor, sink, utc_now)
    lifecycle.health.add_degradation("fetching", fetching.trouble)
    lifecycle.background(fetching.run(settings.postgres, schema=NAME), "fetching")
    vigil = Vigil(lambda: charges(registry.present(), registry.resting(), fetching.invalid()), sink, utc_now)
    lifecycle.background(vigil.run(settings.postgres, schema=NAME), "vigil")
    return opener


def _services(  # noqa: PLR0913 - what the two services are made of
    settings: IngestSettings, registry: Registry, pool: Pool, keyring: Keyring, acceptor: Acceptor, *, opener: Opener
) -> list[Service]:
    posts = IngestServicer(registry.present, acceptor, utc_now)
    make_normalizer = partial(Normalizer, key=settings.pseudonym_key_bytes())
    managed = IntegrationsServicer(
        registry, pool, keyring, utc_now, make_normalizer=make_normalizer, sample=Sampler(opener)
    )
    return [
        Service(GRPC_SERVICE, partial(add_IngestServiceServicer_to_server, posts)),
        Service(INTEGRATIONS_SERVICE, partial(add_IntegrationsServiceServicer_to_server, managed)),
    ]


@asynccontextmanager
async def telemetry(settings: TelemetrySettings) -> AsyncIterator[None]:
    """Trace and measure inside the block; it is global, so a process enters it once."""
    providers = setup(settings, NAME)
    try:
        yield
    finally:
        await providers.shutdown()
