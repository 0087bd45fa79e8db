"""`ascolto ledger`: the balance of a range."""

import asyncio
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated

import asyncpg
import typer

from chassis.kafka import KafkaSettings
from cli.console import JSON_OPTION, out, print_json
from cli.errors import CommandError
from cli.ledger.balance import Ledger, balance
from cli.ledger.evidence import gather
from cli.settings import Addresses, load_addresses

Moment = Annotated[datetime | None, typer.Option(formats=["%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%d"], help="In UTC.")]
LINES = (
    ("accepted", "post events that were durably kept"),
    ("classified", "of these, classified"),
    ("triaged", "of these, for a person to sort"),
    ("projected", "counted in the insights"),
    ("drafted", "answered by a draft"),
    ("sent", "whose answer was sent"),
    ("dead_lettered", "with a dead letter: `ascolto dlq list`"),
    ("in_flight", "on their way"),
    ("lost", "nowhere: must be 0"),
    ("doubled", "effects that happened twice: must be 0"),
)


def ledger(
    since: Moment = None,
    until: Moment = None,
    all_tenants: Annotated[bool, typer.Option(help="Of all tenants.")] = False,  # noqa: FBT002 - a flag
    as_json: Annotated[bool, JSON_OPTION] = False,  # noqa: FBT002 - a flag of the command line
) -> None:
    """Account for every post accepted in a range: where is it, was anything lost or done twice? Exit 1 if so."""
    addresses = load_addresses()
    result = asyncio.run(read_ledger(addresses, since, until, None if all_tenants else addresses.tenant))
    if as_json:
        print_json(asdict(result))
    else:
        print_ledger(result)
    if result.lost or result.doubled:
        raise CommandError(
            f"{result.lost} lost, {result.doubled} doubled: see docs/errors.md, 'The ledger does not balance'."
        )


async def read_ledger(addresses: Addresses, start: datetime | None, end: datetime | None, tenant: str | None) -> Ledger:
    """The balance of what was accepted from `start` to `end`; None is open, and all tenants."""
    kafka = KafkaSettings(bootstrap_servers=tuple(addresses.need("kafka_bootstrap_servers").split(",")))
    dsn = addresses.need("postgres_dsn")
    try:
        evidence = await gather(kafka, dsn, start=_utc(start), end=_utc(end), tenant=tenant)
    except (OSError, asyncpg.PostgresError) as error:
        raise CommandError(f"The stores cannot be read: {error}") from error
    return balance(evidence)


def _utc(moment: datetime | None) -> datetime | None:
    return moment.replace(tzinfo=UTC) if moment and moment.tzinfo is None else moment


def print_ledger(result: Ledger) -> None:
    """The balance for people."""
    values = asdict(result)
    for name, meaning in LINES:
        value = values[name]
        style = "bold red" if name in ("lost", "doubled") and value else "bold"
        out.print(f"{name:>14}  [{style}]{value:>9,}[/]  [dim]{meaning}[/]")
    for kind, number in result.doubled_by_kind.items():
        out.print(f"{'':>14}  {number:>9,}  [dim]{kind}[/]")
    for event in result.lost_events:
        out.print(f"{'':>14}  lost: {event}")
