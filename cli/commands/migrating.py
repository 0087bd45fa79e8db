"""`ascolto migrate`: the schemas of the services, and `ascolto topics`: the topics of the catalogue."""

import asyncio
from typing import Annotated

import typer

from chassis.kafka import KafkaSettings
from chassis.kafka.admin import ensure_topics
from chassis.migrations import migrate as apply_migrations
from cli.console import out
from cli.errors import CommandError
from cli.project import WITH_STORE, migrations_of
from cli.settings import load_addresses
from contracts.provision import specifications


def migrate(
    services: Annotated[list[str] | None, typer.Argument(help=f"Of {', '.join(WITH_STORE)}; left out: all.")] = None,
) -> None:
    """Bring the schemas of the services up to date; safe to repeat and to run at the same time."""
    dsn = load_addresses().need("postgres_dsn")
    for service in services or WITH_STORE:
        if service not in WITH_STORE:
            raise CommandError(f"{service}: has no store; there are {', '.join(WITH_STORE)}.")
        apply_migrations(dsn, service, migrations_of(service))
        out.print(f"{service}: up to date")


def topics(
    replication_factor: Annotated[int, typer.Option(help="Copies of each record; 3 in production.")] = 1,
) -> None:
    """Create the topics of the catalogue that are missing, dead letters included, and verify the others."""
    settings = KafkaSettings(bootstrap_servers=tuple(load_addresses().need("kafka_bootstrap_servers").split(",")))
    wanted = specifications(replication_factor)
    asyncio.run(ensure_topics(settings, wanted))
    out.print(f"{len(wanted)} topics are as the catalogue says")
