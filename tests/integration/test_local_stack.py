"""The embedded stack: what it promises to those who build on it, and that it leaves nothing behind."""

import asyncio
import json
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import psutil
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from local.errors import NotOurServerError, ServerStartError, StackInUseError
from local.ports import LOOPBACK, is_free
from local.settings import ExternalServers
from local.stack import Stack, running_stack

pytestmark = pytest.mark.integration

PROJECT = Path(__file__).parents[2]
TEN_MEBIBYTES = 10 * 1024 * 1024
SECOND_START_SECONDS = 15.0
CORES = os.cpu_count() or 1
GONE_SECONDS = 20.0
NOTHING_EXTERNAL = ExternalServers()


@pytest.fixture(autouse=True)
def _no_external_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("KAFKA_BOOTSTRAP_SERVERS", raising=False)
    monkeypatch.delenv("POSTGRES_DSN", raising=False)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    stack = Stack(tmp_path_factory.mktemp("pair"), external=NOTHING_EXTERNAL)
    stack.start()
    yield stack
    stack.stop()


@contextmanager
def stack_process(root: Path, *options: str) -> Iterator["subprocess.Popen[str]"]:
    """Run `python -m local up` until the block ends; it is ready when this yields."""
    command = [sys.executable, "-m", "local", "up", "--root", str(root), *options]
    with subprocess.Popen(command, cwd=PROJECT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("export ")
        try:
            yield process
        finally:
            process.terminate()


def local(command: str, root: Path) -> "subprocess.CompletedProcess[str]":
    arguments = [sys.executable, "-m", "local", command, "--root", str(root)]
    return subprocess.run(arguments, cwd=PROJECT, capture_output=True, text=True, check=False)


def family(pid: int) -> list[psutil.Process]:
    """The process, its guards and their servers."""
    children = psutil.Process(pid).children(recursive=True)
    assert len(children) > 1
    return [psutil.Process(pid), *children]


def lives(process: psutil.Process) -> bool:
    """Whether it still runs; a zombie has ended and only waits to be read."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def survivors(processes: list[psutil.Process]) -> list[str]:
    """Those that still run when the deadline has passed."""
    give_up_at = time.monotonic() + GONE_SECONDS
    while time.monotonic() < give_up_at:
        if not any(map(lives, processes)):
            return []
        time.sleep(0.05)
    return [str(process) for process in processes if lives(process)]


def contention() -> float:
    """How many processes want each core: others' work must not fail a test that measures time."""
    return max(1.0, os.getloadavg()[0] / CORES)


async def keep_record(bootstrap_servers: str, topic: str, value: bytes) -> None:
    limits = {"max.message.bytes": str(2 * TEN_MEBIBYTES)}
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap_servers)
    await admin.start()
    try:
        await admin.create_topics([NewTopic(topic, 1, 1, topic_configs=limits)])
    finally:
        await admin.close()
    options = {"acks": "all", "enable_idempotence": True, "max_request_size": 2 * TEN_MEBIBYTES}
    async with AIOKafkaProducer(bootstrap_servers=bootstrap_servers, **options) as producer:
        await producer.send_and_wait(topic, value)


async def read_record(bootstrap_servers: str, topic: str) -> bytes:
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap_servers, auto_offset_reset="earliest")
    consumer.assign([TopicPartition(topic, 0)])
    async with consumer:
        record = await consumer.getone()
    assert isinstance(record.value, bytes)
    return record.value


async def query(dsn: str, statement: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def test_a_record_of_ten_mebibytes_outlives_a_kill_of_the_broker(pair: Stack) -> None:
    value = os.urandom(TEN_MEBIBYTES)
    await keep_record(pair.bootstrap_servers, "large", value)
    pair.kafka.kill()
    assert pair.ended_servers() == ["kafka"]
    pair.kafka.start()
    assert await read_record(pair.bootstrap_servers, "large") == value


async def test_a_commit_outlives_a_kill_of_the_database(pair: Stack) -> None:
    await query(pair.postgres_dsn, "CREATE TABLE kept AS SELECT 42 AS number")
    pair.postgres.kill()
    with pytest.raises(ConnectionRefusedError):
        await query(pair.postgres_dsn, "SELECT 1")
    pair.postgres.start()
    assert await query(pair.postgres_dsn, "SELECT number FROM kept") == 42


async def test_the_database_has_vectors_and_durable_commits(pair: Stack) -> None:
    await query(pair.postgres_dsn, "CREATE EXTENSION vector")
    assert await query(pair.postgres_dsn, "SELECT '[1,2]'::vector <-> '[1,4]'::vector") == 2.0
    assert await query(pair.postgres_dsn, "SHOW fsync") == "on"


async def test_the_database_wants_its_password(pair: Stack) -> None:
    parts = urlsplit(pair.postgres_dsn)
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(host=parts.hostname, port=parts.port, user="postgres", password="guess")


async def test_servers_listen_on_loopback_only(pair: Stack) -> None:
    pids = {pair.kafka.pid, pair.postgres.pid}
    listening = [c for pid in pids for c in psutil.Process(pid).net_connections() if c.status == "LISTEN"]
    assert {connection.laddr.ip.removeprefix("::ffff:") for connection in listening} == {LOOPBACK}


def test_a_stopped_server_comes_back_on_its_port(pair: Stack) -> None:
    before = pair.environment()
    pair.postgres.stop()
    pair.postgres.stop()
    pair.postgres.start()
    pair.postgres.start()
    assert pair.environment() == before
    assert pair.ended_servers() == []


def test_a_second_stack_in_the_same_folder_is_refused(pair: Stack) -> None:
    second = Stack(pair.root, external=NOTHING_EXTERNAL)
    with pytest.raises(StackInUseError, match=f"Process {os.getpid()} runs a stack"):
        second.start()
    assert pair.ended_servers() == []


async def test_kafka_moves_with_its_data_when_its_ports_are_taken(pair: Stack) -> None:
    await keep_record(pair.bootstrap_servers, "moving", b"still here")
    pair.stop()
    ports = json.loads((pair.root / "ports.json").read_text())
    with socket.create_server((LOOPBACK, ports["kafka"])), socket.create_server((LOOPBACK, ports["kafka_controller"])):
        started_at = time.monotonic()
        pair.start()
        assert time.monotonic() - started_at < SECOND_START_SECONDS * contention()
        assert pair.bootstrap_servers != f"{LOOPBACK}:{ports['kafka']}"
        assert await read_record(pair.bootstrap_servers, "moving") == b"still here"


def test_a_kill_of_everything_leaves_no_orphan_and_a_stack_that_starts(pair: Stack) -> None:
    pair.stop()
    with stack_process(pair.root) as process:
        everything = family(process.pid)
        for member in everything:
            with suppress(psutil.NoSuchProcess):
                member.kill()
    assert survivors(everything) == []
    started_at = time.monotonic()
    pair.start()
    assert time.monotonic() - started_at < SECOND_START_SECONDS * contention()


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_no_orphan_outlives_its_stack(tmp_path: Path, ending: signal.Signals) -> None:
    with stack_process(tmp_path, "--no-kafka") as process:
        everything = family(process.pid)
        process.send_signal(ending)
        assert process.wait(GONE_SECONDS) == (-ending if ending == signal.SIGKILL else 0)
    assert survivors(everything) == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process of its parent's death")
def test_no_orphan_outlives_its_guard(tmp_path: Path) -> None:
    with stack_process(tmp_path, "--no-kafka") as process:
        everything = family(process.pid)
        [guard] = psutil.Process(process.pid).children()
        guard.kill()
        assert process.wait(GONE_SECONDS) == 1
    assert survivors(everything) == []


def test_a_server_that_cannot_start_says_why_and_takes_the_other_along(tmp_path: Path) -> None:
    data_of_another_node = tmp_path / "kafka" / "data"
    data_of_another_node.mkdir(parents=True)
    (data_of_another_node / "meta.properties").write_text("version=1\nnode.id=7\ncluster.id=other\n")
    (tmp_path / "kafka" / "data-is-complete").touch()
    stack = Stack(tmp_path)
    with pytest.raises(ServerStartError, match=r"(?s)kafka ended with exit code 1.*Stored node id 7"):
        stack.start()
    assert stack.ended_servers() == ["kafka", "postgres"]
    assert is_free(json.loads((tmp_path / "ports.json").read_text())["postgres"])


def test_data_whose_creation_was_cut_short_is_made_anew_in_a_folder_that_stays_private(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    half_made = tmp_path / "stack" / "postgres" / "data"
    half_made.mkdir(parents=True)
    (half_made / "PG_VERSION").write_text("18\n")
    with running_stack(tmp_path / "stack", kafka=False) as stack:
        assert asyncio.run(query(stack.postgres_dsn, "SELECT 1")) == 1
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o700


def test_the_command_line_tells_where_the_servers_are_and_stops_them(tmp_path: Path) -> None:
    assert local("env", tmp_path).returncode == 3
    with stack_process(tmp_path, "--no-kafka") as process:
        assert local("status", tmp_path).stdout.startswith(f"ready: process {process.pid} ")
        assert local("env", tmp_path).stdout.startswith("POSTGRES_DSN=postgresql://postgres:")
        assert local("down", tmp_path).returncode == 0
        assert process.wait(GONE_SECONDS) == 0
    assert local("status", tmp_path).stdout.startswith("stopped ")


def test_servers_that_the_environment_names_are_used_and_never_controlled(tmp_path: Path) -> None:
    external = ExternalServers("broker.example:9092", "postgresql://db.example/postgres")
    stack = Stack(tmp_path, external=external)
    stack.start()
    assert stack.bootstrap_servers == "broker.example:9092"
    with pytest.raises(NotOurServerError, match="unset KAFKA_BOOTSTRAP_SERVERS"):
        stack.kafka.kill()
    stack.stop()
    assert not (tmp_path / "logs").exists()
