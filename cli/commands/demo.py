"""`ascolto demo`: everything on this machine, with real conversations."""

import asyncio
import shutil
import signal
import time
from pathlib import Path
from typing import Annotated

import typer

from cli.console import out
from cli.demo.show import tell
from cli.errors import CommandError
from cli.project import PROJECT
from cli.settings import LOCAL_FOLDER, Addresses

SAMPLES = PROJECT / "samples" / "conversations.jsonl"
LOOK = """
[bold]Running until Ctrl-C.[/bold] Try in another terminal:
  .venv/bin/ascolto drafts list             the queue; then: drafts show ID, drafts approve ID
  .venv/bin/ascolto insights volumes --by category --by language
  .venv/bin/ascolto insights watch          what product teams see
  .venv/bin/ascolto tail --text             every event as it comes
  .venv/bin/ascolto ledger                  is everything accounted for?
  .venv/bin/ascolto doctor                  is everything well?
Logs: {logs}"""


def demo(
    once: Annotated[bool, typer.Option("--once", help="End by itself after the summary.")] = False,  # noqa: FBT002 - a flag
    keep: Annotated[bool, typer.Option("--keep", help="Go on with the data of the last demo.")] = False,  # noqa: FBT002
    samples: Annotated[Path, typer.Option(help="What is fed in.")] = SAMPLES,
) -> None:
    """Run everything on this machine and follow one complaint from the network to the insight."""
    try:  # the embedded servers are an extra, which an image of the services does not carry
        from cli.deployment import running_deployment  # noqa: PLC0415
        from local.stack import running_stack  # noqa: PLC0415
    except ModuleNotFoundError as error:
        raise CommandError(
            "The demo runs servers of its own: install them with `pip install ascolto[local]`."
        ) from error
    started = time.monotonic()
    _end_cleanly_on_signals()
    if not keep:
        shutil.rmtree(LOCAL_FOLDER, ignore_errors=True)
    out.print("Starting Kafka and PostgreSQL …")
    with running_stack(LOCAL_FOLDER) as stack:
        out.print(f"Starting ingest, routing, responder and feedback …  [dim]{time.monotonic() - started:.0f} s[/dim]")
        with running_deployment(LOCAL_FOLDER, stack) as deployment, deployment.supervised():
            out.print(f"All ready.  [dim]{time.monotonic() - started:.0f} s[/dim]\n")
            addresses = Addresses.model_validate(deployment.addresses())
            ledger = asyncio.run(tell(addresses, samples))
            out.print(f"\n[dim]{time.monotonic() - started:.0f} s in all[/dim]")
            if not once:
                _serve()
    if ledger.lost or ledger.doubled:
        raise CommandError(f"The ledger does not balance: {ledger.lost} lost, {ledger.doubled} doubled.")


def _end_cleanly_on_signals() -> None:
    """SIGTERM ends it as Ctrl-C does, also where a shell that runs it in the background has turned Ctrl-C off."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.default_int_handler)


def _serve() -> None:
    out.print(LOOK.format(logs=LOCAL_FOLDER / "logs"))
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        out.print("Stopping …")
