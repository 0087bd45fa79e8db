"""Kafka's jars are the locked ones or the stack says which is not."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from local import jars
from local.errors import JarError
from local.ports import LOOPBACK


def test_a_jar_of_another_kafka_version_is_named() -> None:
    stray = jars.Jar("org.apache.kafka", "kafka-clients", "3.9.1", "0" * 64)
    with pytest.raises(JarError, match=r"must be 4\.3\.1, but there is org\.apache\.kafka:kafka-clients:3\.9\.1"):
        jars.check_versions([*jars.read_lock(jars.LOCK), stray])


class _QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        return


@contextmanager
def maven_mirror(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Serve a folder as the only Maven repository; yield the local cache that jgo then fills."""
    cache, settings = folder / "cache", folder / "jgo.conf"
    with ThreadingHTTPServer((LOOPBACK, 0), partial(_QuietHandler, directory=str(folder / "mirror"))) as server:
        threading.Thread(target=server.serve_forever).start()
        settings.write_text(f"[repositories]\ncentral = http://{LOOPBACK}:{server.server_port}\n")
        monkeypatch.setenv("JGO_CONFIG_FILE", str(settings))
        monkeypatch.setenv("M2_REPO", str(cache))
        yield cache
        server.shutdown()


def jar_in(repository: Path, content: bytes) -> Path:
    path = repository / "org/example/thing/1.0/thing-1.0.jar"
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    return path


def test_a_jar_left_damaged_by_an_interrupted_download_is_fetched_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = jar_in(tmp_path / "mirror", b"the whole jar")
    jar = jars.Jar("org.example", "thing", "1.0", jars.sha256_of(good))
    with maven_mirror(tmp_path, monkeypatch) as cache:
        damaged = jar_in(cache, b"the wh")
        assert jars.fetch(jar) == damaged
    assert damaged.read_bytes() == b"the whole jar"


def test_a_mirror_that_serves_another_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jar_in(tmp_path / "mirror", b"something else")
    jar = jars.Jar("org.example", "thing", "1.0", "0" * 64)
    with (
        maven_mirror(tmp_path, monkeypatch),
        pytest.raises(JarError, match=r"org\.example:thing:1\.0 was fetched twice"),
    ):
        jars.fetch(jar)
