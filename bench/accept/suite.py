"""Durable accept beside the same server without a database, and beside one INSERT per request."""

import asyncio
from pathlib import Path
from typing import Final

import asyncpg

from bench.accept.senders import PAYLOADS
from bench.comparison import Comparison, Target, turns
from bench.measurement import Measurement, cpu_seconds_of
from bench.programs import running
from bench.result import Compared, Run
from bench.servers import fresh_stack
from chassis.migrations import migrate
from contracts.provision import ensure_catalogue
from local.stack import Stack
from services import ingest

REQUESTS: Final = 6_000
WARM_UP: Final = 1_000
MOST_CLIENT_CPU: Final = 0.7
"""What share of a core the load may take before it is the load that is measured."""
TITLES: Final = {
    "group_commit": "group commit",
    "no_database": "no database",
    "insert_per_request": "one INSERT per request",
    "whole_service": "group commit and relay in one process",
}
TARGETS: Final = (Target("no_database", 0.8),)
NETWORKS_TITLES: Final = {name: TITLES[name] for name in ("group_commit", "no_database")}
NETWORKS_TARGETS: Final = (Target("no_database", 0.6),)
MIGRATIONS: Final = Path(ingest.__path__[0]) / "sql" / "migrations"
EMPTY: Final = "TRUNCATE ingest.post, ingest.outbox"


def run(run: Run) -> Compared:
    """Put every acceptor under the same load of a program, in turns."""
    title = "Durable accept of Standard Webhooks, 64 connections"
    return Compared(title, "requests", _compared("program", list(TITLES), run), TITLES, TARGETS)


def run_networks(run: Run) -> Compared:
    """The same with real payloads of networks, each signed and normalized as its own."""
    if not PAYLOADS.is_dir():
        raise SystemExit(f"The real payloads are not on this machine ({PAYLOADS}): leave the suite out.")
    title = "Durable accept of real payloads of networks, 64 connections"
    compared = _compared("networks", list(NETWORKS_TITLES), run)
    return Compared(title, "requests", compared, NETWORKS_TITLES, NETWORKS_TARGETS)


def _compared(sender: str, names: list[str], run: Run) -> Comparison:
    found: dict[str, list[Measurement]] = {name: [] for name in names}
    with fresh_stack(run.folder) as stack:
        asyncio.run(ensure_catalogue(stack.bootstrap_servers))
        migrate(stack.postgres_dsn, "ingest", MIGRATIONS)
        for name in turns(names, run.rounds):
            run.tell(f"round {len(found[name]) + 1} of {run.rounds}: {TITLES[name]}")
            asyncio.run(_empty(stack.postgres_dsn))
            found[name].append(_measure(sender, name, run, stack))
    return Comparison("group_commit", found)


def _measure(sender: str, name: str, run: Run, stack: Stack) -> Measurement:
    """CPU is the server's; time is the client's, whose own CPU is left out."""
    arguments = str(round(REQUESTS * run.scale)), str(round(WARM_UP * run.scale))
    with running("bench.accept.server", [sender, name], run.folder / f"{name}.log", stack.environment()) as server:
        port = server.answer()
        with running("bench.accept.client", [sender, port, *arguments], run.folder / "client.log") as client:
            client.answer()
            before = cpu_seconds_of(server.pid)
            client.tell("go")
            sent = Measurement.from_json(client.answer())
            assert sent.cpu_seconds < MOST_CLIENT_CPU * sent.seconds, "the client is what is slow"
            return Measurement(sent.items, sent.seconds, cpu_seconds_of(server.pid) - before)


async def _empty(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(EMPTY)
    finally:
        await connection.close()
