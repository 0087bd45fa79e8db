"""The memory of ingest under a million deliveries: whatever a request leaves behind would show."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

import psutil
from rich.console import Group, RenderableType
from rich.table import Table

from bench.accept.suite import MIGRATIONS
from bench.measurement import Measurement
from bench.programs import running
from bench.result import Run
from bench.servers import fresh_stack
from chassis.migrations import migrate
from contracts.provision import ensure_catalogue

REQUESTS: Final = 1_000_000
WARM_UP: Final = 1_000
SAMPLE_SECONDS: Final = 2.0
SHOWN: Final = 10
SETTLED: Final = 0.2
"""From which share of the run on memory should not grow: until then caches and pools fill."""
MEBIBYTE: Final = 2**20


def run(run: Run) -> "Memory":
    """Send everything to the whole service, and look at its resident memory meanwhile."""
    requests = round(REQUESTS * run.scale)
    with fresh_stack(run.folder) as stack:
        asyncio.run(ensure_catalogue(stack.bootstrap_servers))
        migrate(stack.postgres_dsn, "ingest", MIGRATIONS)
        arguments = ["program", "whole_service"]
        with running("bench.accept.server", arguments, run.folder / "server.log", stack.environment()) as server:
            load = ["program", server.answer(), str(requests), str(WARM_UP), "--as-it-goes"]
            with running("bench.accept.client", load, run.folder / "client.log") as client:
                client.answer()
                client.tell("go")
                with ThreadPoolExecutor(1) as waiting:
                    return _watch(psutil.Process(server.pid), waiting.submit(client.answer), run)


def _watch(server: psutil.Process, sent: "Future[str]", run: Run) -> "Memory":
    began_at, samples = time.monotonic(), list[int]()
    while not sent.done():
        samples.append(server.memory_info().rss)
        run.tell(f"{time.monotonic() - began_at:.0f} s, {samples[-1] / MEBIBYTE:.0f} MiB")
        time.sleep(SAMPLE_SECONDS)
    return Memory(Measurement.from_json(sent.result()).items, samples)


@dataclass(frozen=True)
class Memory:
    """Resident bytes, sampled evenly over the run."""

    requests: int
    samples: Sequence[int]

    @property
    def growth(self) -> float:
        """How many times what it was when it had settled the memory is at the end."""
        return self.samples[-1] / self.samples[round(len(self.samples) * SETTLED)]

    def tables(self) -> RenderableType:
        """The course of it."""
        table = Table(title=f"Resident memory of ingest over {self.requests:,} requests", title_justify="left")
        table.add_column("of the requests", justify="right")
        table.add_column("MiB", justify="right")
        for part in range(1, SHOWN + 1):
            sample = self.samples[min(len(self.samples) * part // SHOWN, len(self.samples) - 1)]
            table.add_row(f"{part / SHOWN:.0%}", f"{sample / MEBIBYTE:,.0f}")
        return Group(table, f"from {SETTLED:.0%} to the end: {self.growth:.2f} x")

    def figures(self) -> Mapping[str, Any]:
        """Every sample."""
        return {"requests": self.requests, "growth": self.growth, "resident_bytes": list(self.samples)}
