"""How long a customer's post takes from its 200 to a draft that an agent can see, at a steady rate of posts."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.table import Table

from ascolto.replies.v1.reply_event_pb2 import ReplyEvent
from bench.latency.load import Load
from bench.latency.queue_watch import watching
from bench.latency.timing import Timing
from bench.measurement import cpu_seconds_of
from bench.percentiles import Percentiles, percentiles
from bench.result import Run
from bench.servers import fresh_stack
from chassis.kafka import KafkaSettings, read_range
from cli.deployment import Deployment, running_deployment
from cli.project import PROJECT, SERVICES
from contracts.codec import decode
from contracts.integrations import load_integrations
from contracts.topics import REPLIES

POSTS_PER_SECOND: Final = 200
SECONDS: Final = 60.0
WARM_UP_SECONDS: Final = 3.0
SETTLE_SECONDS: Final = 60.0
POLL_SECONDS: Final = 1.0
INTEGRATION: Final = load_integrations(PROJECT / "config" / "integrations.toml")["lumora-hook"]


def run(run: Run) -> "Latencies":
    """Put a whole deployment under a steady load."""
    with fresh_stack(run.folder / "stack") as stack, running_deployment(run.folder / "services", stack) as deployment:
        run.tell(f"{POSTS_PER_SECOND} posts/s")
        return asyncio.run(_measured(deployment, SECONDS * run.scale))


async def _measured(deployment: Deployment, seconds: float) -> "Latencies":
    port = deployment.ports["ingest_http"]
    async with watching(deployment, INTEGRATION.tenant) as seen:
        warm_up = await Load(INTEGRATION, "127.0.0.1", port).send(POSTS_PER_SECOND, WARM_UP_SECONDS)
        before = _cpu_seconds(deployment)
        timing = await Load(INTEGRATION, "127.0.0.1", port, first=warm_up.posts).send(POSTS_PER_SECOND, seconds)
        await _settle(deployment, timing)
        after = _cpu_seconds(deployment)
    timing.drafted_at = {name: at for name, at in seen.items() if name in timing.due_at}
    return Latencies(timing, {name: (after[name] - before[name]) / timing.posts * 1e6 for name in SERVICES})


def _cpu_seconds(deployment: Deployment) -> dict[str, float]:
    return {name: cpu_seconds_of(deployment[name].pid) for name in SERVICES}


async def _settle(deployment: Deployment, timing: Timing) -> None:
    """Wait until the responder has dealt with every post; what is missing after that is told in the table."""
    settings = KafkaSettings(bootstrap_servers=tuple(deployment.stack.bootstrap_servers.split(",")))
    give_up_at = time.monotonic() + SETTLE_SECONDS
    while timing.unanswered and time.monotonic() < give_up_at:
        await asyncio.sleep(POLL_SECONDS)
        async for record in read_range(settings, REPLIES.name):
            message = decode(record).message
            assert isinstance(message, ReplyEvent), "the topic of replies carries nothing else"
            timing.decided.update(message.answers)


@dataclass(frozen=True)
class Latencies:
    """The outcome, in milliseconds."""

    timing: Timing
    cpu_us: Mapping[str, float]
    """Microseconds of CPU that each service spent for a post."""

    def tables(self) -> RenderableType:
        """Percentiles of what was waited for."""
        title = (
            f"Latency at {self.timing.posts_per_second:.0f} posts/s: {self.timing.posts} posts, "
            f"{len(self.timing.drafted_ms)} drafts, {self.timing.unanswered} posts without draft or decision"
        )
        table = Table(title=title, title_justify="left")
        table.add_column("from .. to")
        for heading in ("p50 ms", "p90 ms", "p99 ms", "max ms"):
            table.add_column(heading, justify="right")
        for name, found in self._percentiles().items():
            table.add_row(name, *(f"{each:,.0f}" for each in found))
        cpu = ", ".join(f"{name} {each:,.0f} us" for name, each in self.cpu_us.items())
        return Group(table, f"CPU for a post: {cpu}")

    def figures(self) -> Mapping[str, Any]:
        """The percentiles, and what they were taken over."""
        found = {name: each._asdict() for name, each in self._percentiles().items()}
        counts = {"posts": self.timing.posts, "drafts": len(self.timing.drafted_ms)}
        return {
            "posts_per_second": self.timing.posts_per_second,
            **counts,
            "unanswered": self.timing.unanswered,
            "cpu_us": self.cpu_us,
            **found,
        }

    def _percentiles(self) -> dict[str, Percentiles]:
        return {
            "webhook sent .. 200": percentiles(self.timing.accepted_ms),
            "200 .. draft visible in ApprovalService": percentiles(self.timing.drafted_ms),
        }
