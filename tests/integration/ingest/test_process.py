"""ingest as the process that is deployed: its configuration, its signals, and its sudden death."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import httpx
import pytest

from chassis.kafka import KafkaSettings
from tests.integration.ingest.polling import until
from tests.integration.ingest.running import Account, Running, post

pytestmark = pytest.mark.integration
ROOT = Path(__file__).parents[3]


class Process:
    """A child, what it says, and where it listens."""

    def __init__(self, child: asyncio.subprocess.Process, ready_file: Path) -> None:
        self.child = child
        self._ready_file = ready_file

    async def ports(self) -> Mapping[str, int]:
        async def written() -> bool:
            assert self.child.returncode is None, "ingest ended instead of becoming ready"
            return self._ready_file.exists()

        await until(written)
        ports: Mapping[str, int] = json.loads(self._ready_file.read_text())
        return ports

    async def end(self, number: signal.Signals) -> tuple[int, str]:
        """Send a signal; answers the exit code and the log."""
        self.child.send_signal(number)
        return await self.outcome()

    async def outcome(self) -> tuple[int, str]:
        async with asyncio.timeout(30):
            _, log = await self.child.communicate()
        assert self.child.returncode is not None
        return self.child.returncode, log.decode()


@asynccontextmanager
async def process(environment: Mapping[str, str], folder: Path) -> AsyncIterator[Process]:
    ready_file = folder / "ready.json"
    ready_file.unlink(missing_ok=True)
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.ingest"),
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "READY_FILE": str(ready_file), "LOG_FORMAT": "json", **environment},
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield Process(child, ready_file)
    finally:
        if child.returncode is None:
            child.kill()
            await child.communicate()


@pytest.fixture
def environment(account: Account, migrated_dsn: str, topics: str) -> dict[str, str]:
    return {
        "ASCOLTO_PROFILE": "local",
        "INTEGRATIONS_FILE": str(account.file),
        "POSTGRES_DSN": migrated_dsn,
        "KAFKA_BOOTSTRAP_SERVERS": topics,
        "HTTP_PORT": "0",
        "GRPC_PORT": "0",
        "AUTH_ISSUER": "http://127.0.0.1:1",
    }


@asynccontextmanager
async def senders_of(process: Process, account: Account, environment: Mapping[str, str]) -> AsyncIterator[Running]:
    ports = await process.ports()
    base = f"http://127.0.0.1:{ports['http_port']}"
    kafka = KafkaSettings(bootstrap_servers=(environment["KAFKA_BOOTSTRAP_SERVERS"],))
    async with httpx.AsyncClient(base_url=base, trust_env=False, timeout=10.0) as http:
        yield Running(account, http, f"127.0.0.1:{ports['grpc_port']}", environment["POSTGRES_DSN"], kafka)


async def test_it_serves_and_stops_cleanly(account: Account, environment: dict[str, str], tmp_path: Path) -> None:
    async with process(environment, tmp_path) as ingest, senders_of(ingest, account, environment) as senders:
        assert (await senders.deliver(post(text="secret words"))).status_code == 200
        (event,) = await until(senders.published)
        code, log = await ingest.end(signal.SIGTERM)
    assert event.metadata.traceparent
    assert code == 0
    assert '"service_ready"' in log
    assert "secret words" not in log


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"HTTP_PORT": "http"}, "HTTP_PORT"),
        ({"ASCOLTO_PROFILE": "production", "AUTH_ISSUER": "https://id.example"}, "PSEUDONYM_KEY"),
        ({"CHAT_SESSION_KEY": "c2hvcnQ="}, "CHAT_SESSION_KEY"),
        ({"INTEGRATIONS_FILE": "/nowhere.toml"}, "/nowhere.toml"),
    ],
)
async def test_a_wrong_configuration_is_named(
    environment: dict[str, str], tmp_path: Path, change: dict[str, str], named: str
) -> None:
    async with process({**environment, **change}, tmp_path) as ingest:
        code, log = await ingest.outcome()
    assert code == 78
    assert named in log
    assert "c2hvcnQ=" not in log


async def test_sudden_deaths_lose_nothing_and_double_nothing(
    account: Account, environment: dict[str, str], tmp_path: Path
) -> None:
    promised: set[str] = set()
    number = 0
    for life in range(3):
        async with process(environment, tmp_path) as ingest, senders_of(ingest, account, environment) as senders:
            goal = len(promised) + 40

            async def send(first: int, *, to: Running = senders, goal: int = goal) -> None:
                current = first
                while len(promised) < goal:
                    response = await to.deliver(post(str(current), native_thread_id="one thread"))
                    promised.update(response.json()["accepted"] + response.json()["duplicates"])
                    current += 8

            await asyncio.gather(*(send(number + lane) for lane in range(8)))
            number += 24  # the next life is told again of some that this one has promised
            if life < 2:
                await ingest.end(signal.SIGKILL)
                continue
            kept = {str(row["event_id"]) for row in await senders.rows()}
            published = await until(partial(_published, senders), partial(_as_many, kept))
    assert promised <= kept
    assert published == kept


async def _published(senders: Running) -> set[str]:
    return {str(event.metadata.event_id) for event in await senders.published()}


def _as_many(kept: set[str], published: set[str]) -> bool:
    return len(published) >= len(kept)
