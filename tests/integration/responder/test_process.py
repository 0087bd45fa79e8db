"""The process: it says where it listens, stops when it is told, and explains a configuration that cannot work."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
pytestmark = pytest.mark.integration


def environment(tmp_path: Path, dsn: str, kafka: str) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": f"{ROOT}:{ROOT / 'gen'}",
        "ASCOLTO_PROFILE": "local",
        "AUTH_ISSUER": "http://127.0.0.1:9",
        "POSTGRES_DSN": dsn,
        "KAFKA_BOOTSTRAP_SERVERS": kafka,
        "HTTP_PORT": "0",
        "GRPC_PORT": "0",
        "GRPC_DRAIN_SECONDS": "0",
        "READY_FILE": str(tmp_path / "ready.json"),
    }


def test_it_says_where_it_listens_and_ends_cleanly(tmp_path: Path, migrated_dsn: str, topics: str) -> None:
    started = [sys.executable, "-m", "services.responder"]
    env = environment(tmp_path, migrated_dsn, topics)
    process = subprocess.Popen(started, cwd=ROOT, env=env, stderr=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + 60
        while not (tmp_path / "ready.json").exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.05)
        ports = json.loads((tmp_path / "ready.json").read_text())
        assert all(ports[name] > 0 for name in ("http_port", "grpc_port"))
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=30) == 0
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize(
    ("variable", "value"),
    [("INTEGRATIONS_FILE", "/nowhere.toml"), ("KNOWLEDGE_DIR", "/nowhere"), ("CURSOR_KEYS", "short")],
)
def test_a_wrong_configuration_is_named(tmp_path: Path, variable: str, value: str) -> None:
    env = environment(tmp_path, "postgresql://nobody@127.0.0.1:9/x", "127.0.0.1:9") | {variable: value}
    started = [sys.executable, "-m", "services.responder"]
    ended = subprocess.run(started, cwd=ROOT, env=env, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 78
    assert variable in ended.stderr or value in ended.stderr


def test_a_rebuild_from_the_command_line_prints_its_digest(tmp_path: Path, migrated_dsn: str, topics: str) -> None:
    started = [sys.executable, "-m", "services.responder.rebuild"]
    env = environment(tmp_path, migrated_dsn, topics)
    ended = subprocess.run(started, cwd=ROOT, env=env, capture_output=True, text=True, timeout=120, check=False)
    assert ended.returncode == 0, ended.stderr
    assert len(json.loads(ended.stdout)["digest"]) == 64
