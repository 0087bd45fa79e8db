"""Durable accept beside the same server without a database, and beside one INSERT per request."""

import asyncio
from pathlib import Path
from typing import Final

import asyncpg

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
MIGRATIONS: Final = Path(ingest.__path__[0]) / "sql" / "migrations"
EMPTY: Final = "TRUNCATE ingest.post, ingest.outbox"


def run(run: Run) -> Compared:
    """Put every acceptor under the same load, in turns."""
    found: dict[str, list[Measurement]] = {name: [] for name in TITLES}
    with fresh_stack(run.folder) as stack:
        asyncio.run(ensure_catalogue(stack.bootstrap_servers))
        migrate(stack.postgres_dsn, "ingest", MIGRATIONS)
        for name in turns(list(TITLES), run.rounds):
            run.tell(f"round {len(found[name]) + 1} of {run.rounds}: {TITLES[name]}")
            asyncio.run(_empty(stack.postgres_dsn))
            found[name].append(_measure(name, run, stack))
    return Compared("Durable accept, 64 connections", "requests", Comparison("group_commit", found), TITLES, TARGETS)


def _measure(name: str, run: Run, stack: Stack) -> Measurement:
    """CPU is the server's; time is the client's, whose own CPU is left out."""
    arguments = str(round(REQUESTS * run.scale)), str(round(WARM_UP * run.scale))
    with running("bench.accept.server", [name], run.folder / f"{name}.log", stack.environment()) as server:
        port = server.answer()
        with running("bench.accept.client", [port, *arguments], run.folder / "client.log") as client:
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
