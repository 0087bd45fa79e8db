"""Apache Kafka's class path: the jars that `kafka.lock.toml` names, fetched by jgo and verified.

`python -m local.jars` resolves the endpoint below anew and rewrites the lock.
"""

import hashlib
import os
import tomllib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass
from pathlib import Path

import jgo
from jgo.config import GlobalSettings
from jgo.constants import MAVEN_CENTRAL_URL, default_jgo_cache
from jgo.maven import MavenContext

from local import locks
from local.errors import JarError

KAFKA_VERSION = "4.3.1"
# slf4j-simple, because a log4j binding brings its own dependency management and with it old Kafka jars.
ENDPOINT = f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}+org.slf4j:slf4j-simple:1.7.36"
LOCK = Path(__file__).with_name("kafka.lock.toml")
HTTP_TIMEOUT_SECONDS = 60
DOWNLOADS_AT_ONCE = 6
OTHER_DOWNLOAD_DEADLINE_SECONDS = 600.0


@dataclass(frozen=True, order=True)
class Jar:
    """One jar by its Maven coordinate, with the SHA-256 that it must have."""

    group: str
    artifact: str
    version: str
    sha256: str

    def __str__(self) -> str:
        """Return the Maven coordinate."""
        return f"{self.group}:{self.artifact}:{self.version}"


def class_path() -> str:
    """The broker's class path, its jars fetched where needed. Raise JarError if one cannot be had."""
    jars = read_lock(LOCK)
    # jgo writes a jar in place: two processes that fetch at once would see each other's halves.
    turn = locks.wait_for(_made(default_jgo_cache()), OTHER_DOWNLOAD_DEADLINE_SECONDS)
    if turn is None:
        raise JarError("Another process has been fetching Kafka's jars for ten minutes: end it and try again.")
    try:
        with ThreadPoolExecutor(DOWNLOADS_AT_ONCE) as pool:
            return os.pathsep.join(str(path) for path in pool.map(fetch, jars))
    finally:
        os.close(turn)


def fetch(jar: Jar) -> Path:
    """Return the verified file of the jar. What an interrupted download left behind is fetched once more."""
    for _ in range(2):
        path = _resolve(jar)
        if sha256_of(path) == jar.sha256:
            return path
        path.unlink()
    raise JarError(
        f"{jar} was fetched twice and is not the file that {LOCK.name} names (sha256 {jar.sha256}). "
        "Check the Maven mirror or proxy in use.",
    )


def read_lock(path: Path) -> list[Jar]:
    """Return the jars of a lock file, having checked that Kafka's own all have the one version."""
    jars = [Jar(**entry) for entry in tomllib.loads(path.read_text())["jar"]]
    check_versions(jars)
    return jars


def check_versions(jars: Iterable[Jar]) -> None:
    """Raise JarError if a Kafka jar deviates: the broker would die of it later, with a NoSuchMethodError."""
    strays = [str(jar) for jar in jars if jar.group == "org.apache.kafka" and jar.version != KAFKA_VERSION]
    if strays:
        raise JarError(f"Every jar of Kafka must be {KAFKA_VERSION}, but there is {', '.join(strays)}.")


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _resolve(jar: Jar) -> Path:
    settings = GlobalSettings.load()
    repositories = {"central": MAVEN_CENTRAL_URL, **settings.repositories}
    context = MavenContext(repo_cache=settings.repo_cache, remote_repos=repositories, timeout=HTTP_TIMEOUT_SECONDS)
    try:
        return context.project(jar.group, jar.artifact).at_version(jar.version).artifact().resolve()
    except (OSError, RuntimeError) as error:
        raise JarError(f"{jar} cannot be fetched ({error}). The first start needs a network.") from error


def write_lock() -> None:
    """Resolve the endpoint anew and write down what it gave."""
    artifacts = jgo.resolve(ENDPOINT)
    jars = sorted(Jar(a.groupId, a.artifactId, a.version, sha256_of(a.resolve())) for a in artifacts)
    check_versions(jars)
    entry = '[[jar]]\ngroup = "{}"\nartifact = "{}"\nversion = "{}"\nsha256 = "{}"\n'
    heading = f"# Resolved from {ENDPOINT} by `python -m local.jars`. Do not edit.\n"
    LOCK.write_text("\n".join([heading, *(entry.format(*astuple(jar)) for jar in jars)]))


if __name__ == "__main__":
    write_lock()
