"""Runs the demo's story against a running deployment and tells it on the terminal."""

import asyncio
from contextlib import suppress
from pathlib import Path
from typing import Final

from rich.live import Live

from chassis.errors import NeverRetry
from chassis.kafka import KafkaSettings
from cli.commands.importing import Report, submit_file
from cli.commands.ledger import print_ledger, read_ledger
from cli.commands.tail import follow
from cli.console import out
from cli.demo.counts import Counts
from cli.demo.journey import Journey
from cli.errors import CommandError
from cli.ledger.balance import Ledger
from cli.settings import Addresses
from contracts.codec import decode
from contracts.topics import TOPICS

INTEGRATION: Final = "lumora-import"
STEP_SECONDS: Final = 60.0
SETTLE_SECONDS: Final = 60.0
POLL_SECONDS: Final = 0.5


async def tell(addresses: Addresses, samples: Path) -> Ledger:
    """Feed the samples, follow the complaint, wait until everything has arrived, and answer the balance."""
    counts, journey = Counts(), Journey(addresses, INTEGRATION)
    watching = asyncio.create_task(_watch(addresses, counts, journey))
    try:
        with Live(get_renderable=counts.table, console=out, refresh_per_second=4, transient=True):
            report = await submit_file(addresses, samples, INTEGRATION, quiet=True)
            _tell_import(report)
            async for step in journey.steps(STEP_SECONDS):
                out.print(f"  [green]✓[/green] [bold]{step.name:<12}[/bold] {step.detail}")
            ledger = await _settled(addresses)
        out.print(counts.table())
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
    out.print()
    print_ledger(ledger)
    return ledger


def _tell_import(report: Report) -> None:
    known = f", {report.duplicates} known already" if report.duplicates else ""
    out.print(f"[bold]{report.accepted}[/bold] posts accepted from {report.file}{known}. One complaint's way:")


async def _watch(addresses: Addresses, counts: Counts, journey: Journey) -> None:
    settings = KafkaSettings(bootstrap_servers=tuple(addresses.need("kafka_bootstrap_servers").split(",")))
    async for record in follow(settings, [topic.name for topic in TOPICS], beginning=True):
        with suppress(NeverRetry):
            event = decode(record)
            counts.add(record.topic, event)
            journey.observe(event)


async def _settled(addresses: Addresses) -> Ledger:
    """The balance once nothing is on its way any more."""
    try:
        async with asyncio.timeout(SETTLE_SECONDS):
            while (ledger := await read_ledger(addresses, None, None, addresses.tenant)).in_flight:  # noqa: ASYNC110 - stores are polled
                await asyncio.sleep(POLL_SECONDS)
    except TimeoutError:
        raise CommandError(f"Posts are still in flight after {SETTLE_SECONDS:.0f} s: see `ascolto doctor`.") from None
    return ledger
