"""The stack: one Kafka and one PostgreSQL that start, run and end together in one folder."""

import json
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from local import locks
from local.errors import StackError, StackInUseError
from local.kafka import Kafka
from local.ports import remembered_ports
from local.postgres import Postgres
from local.server import EmbeddedServer, ExternalServer, Server, wait_until_gone
from local.settings import KAFKA_VARIABLE, POSTGRES_VARIABLE, ExternalServers

ServerType = TypeVar("ServerType")
KAFKA_PORT, CONTROLLER_PORT, POSTGRES_PORT = "kafka", "kafka_controller", "postgres"


class Stack:
    """Embedded servers below one folder, or existing ones where the environment names them."""

    def __init__(
        self,
        root: Path,
        *,
        kafka: bool = True,
        postgres: bool = True,
        external: ExternalServers | None = None,
    ) -> None:
        """`root` holds everything: `<root>/kafka`, `<root>/postgres`, `<root>/logs`. Nothing starts yet."""
        self.root = root.absolute()
        self._with_kafka, self._with_postgres = kafka, postgres
        self._external = ExternalServers.from_environment() if external is None else external
        self._kafka: Kafka | None = None
        self._postgres: Postgres | None = None
        self._lock: int | None = None

    @property
    def kafka(self) -> Server:
        """The broker, with `start`, `stop`, `kill` for fault tests. Raise StackError if there is none."""
        if self._external.bootstrap_servers:
            return ExternalServer("Kafka", KAFKA_VARIABLE)
        return _present(self._kafka, "Kafka")

    @property
    def postgres(self) -> Server:
        """The database, with `start`, `stop`, `kill` for fault tests. Raise StackError if there is none."""
        if self._external.postgres_dsn:
            return ExternalServer("PostgreSQL", POSTGRES_VARIABLE)
        return _present(self._postgres, "PostgreSQL")

    @property
    def bootstrap_servers(self) -> str:
        """Kafka's `host:port`, comma-separated where there are many."""
        return self._external.bootstrap_servers or _present(self._kafka, "Kafka").bootstrap_servers

    @property
    def postgres_dsn(self) -> str:
        """The superuser's connection string."""
        return self._external.postgres_dsn or _present(self._postgres, "PostgreSQL").dsn

    def environment(self) -> dict[str, str]:
        """Return the variables that lead a process to the servers of this stack."""
        found: dict[str, str] = {}
        if self._with_kafka:
            found[KAFKA_VARIABLE] = self.bootstrap_servers
        if self._with_postgres:
            found[POSTGRES_VARIABLE] = self.postgres_dsn
        return found

    def start(self) -> None:
        """Start the embedded servers side by side, and return when all are ready.

        Raise StackInUseError if a stack runs here already, ServerStartError if a server does not come up.
        """
        self._take_folder()
        try:
            environment_file(self.root).unlink(missing_ok=True)
            self._start_servers()
            self._tell_environment()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End the embedded servers cleanly, and give the folder free."""
        environment_file(self.root).unlink(missing_ok=True)
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda server: server.stop(), self._embedded()))
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def ended_servers(self) -> list[str]:
        """Name the embedded servers that do not run, whether somebody stopped them or they crashed."""
        return [server.name for server in self._embedded() if not server.is_running]

    def _take_folder(self) -> None:
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            self._lock = locks.try_lock(lock_file(self.root))
        except PermissionError as error:
            raise StackError(f"{error.filename} belongs to another user: remove it, or give another folder.") from error
        if self._lock is None:
            raise StackInUseError(
                f"Process {locks.holder(lock_file(self.root))} runs a stack in {self.root} already: "
                "use that one (`python -m local env`), stop it, or give another folder.",
            )

    def _start_servers(self) -> None:
        # A server of a stack that was killed may still be on its way out, on the port that we want again.
        for name in (Kafka.name, Postgres.name):
            wait_until_gone(self.root / name)
        ports = remembered_ports(self.root / "ports.json", [KAFKA_PORT, CONTROLLER_PORT, POSTGRES_PORT])
        if self._with_kafka and not self._external.bootstrap_servers:
            self._kafka = Kafka(self.root, ports[KAFKA_PORT], ports[CONTROLLER_PORT])
        if self._with_postgres and not self._external.postgres_dsn:
            self._postgres = Postgres(self.root, ports[POSTGRES_PORT])
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda server: server.start(), self._embedded()))

    def _tell_environment(self) -> None:
        """Let other processes of this user know where the servers are (the DSN has a password in it)."""
        path = environment_file(self.root)
        path.touch(mode=0o600)
        path.write_text(json.dumps(self.environment(), indent=2) + "\n")

    def _embedded(self) -> list[EmbeddedServer]:
        return [server for server in (self._kafka, self._postgres) if server is not None]


@contextmanager
def running_stack(root: Path, *, kafka: bool = True, postgres: bool = True) -> Iterator[Stack]:
    """Run a stack in the folder `root` for the length of a `with` block."""
    stack = Stack(root, kafka=kafka, postgres=postgres)
    stack.start()
    try:
        yield stack
    finally:
        stack.stop()


def lock_file(root: Path) -> Path:
    """Where the process that runs a stack in this folder holds its lock."""
    return root / "lock"


def environment_file(root: Path) -> Path:
    """Where a ready stack writes its environment."""
    return root / "environment.json"


def running_environment(root: Path) -> dict[str, str] | None:
    """The environment of the stack that some process runs in this folder, or None if none is ready there."""
    if locks.holder(lock_file(root)) is None:
        return None
    with suppress(FileNotFoundError):
        return dict(json.loads(environment_file(root).read_text()))
    return None


def _present(server: ServerType | None, name: str) -> ServerType:
    if server is None:
        raise StackError(f"This stack has no {name}: it was not started, or started without it.")
    return server
