"""The services, their settings and their order of start on one machine; used by the demo, the tests and the benches."""

import asyncio
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from chassis.migrations import migrate
from cli.deployment.service import Program, ServiceProcess
from cli.project import PROJECT, SERVICES, WITH_HTTP, WITH_STORE, migrations_of
from contracts.provision import ensure_catalogue
from local.ports import remembered_ports
from local.stack import Stack

ISSUER: Final = "issuer"
RESTART_POLL_SECONDS: Final = 0.5


class Deployment:
    """All services on one stack below one folder; raises StackError where one does not come up."""

    def __init__(
        self,
        root: Path,
        stack: Stack,
        *,
        environment: Mapping[str, str] | None = None,
        modules: Mapping[str, str] | None = None,
    ) -> None:
        """`environment` adds variables for every service; `modules` replaces a service's module, for fault tests."""
        self.root, self.stack = root.absolute(), stack
        self.root.mkdir(parents=True, exist_ok=True)
        names = [f"{name}_grpc" for name in SERVICES] + [f"{name}_http" for name in WITH_HTTP] + [ISSUER]
        self.ports = remembered_ports(self.root / "service_ports.json", names)
        self._extra = dict(environment or {})
        self._modules = dict(modules or {})
        self.processes = {name: ServiceProcess(self._program(name), self.root) for name in (ISSUER, *SERVICES)}
        self._supervising = threading.Event()

    def __getitem__(self, name: str) -> ServiceProcess:
        return self.processes[name]

    def start(self, services: Sequence[str] = SERVICES) -> None:
        """Prepare the stores and topics, start the services side by side, and return when all are ready."""
        self.prepare()
        for name in (ISSUER, *services):
            self[name].start()
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda name: self[name].wait_ready(), services))
        self._tell_addresses()

    def prepare(self) -> None:
        """Apply the migrations and create the topics; safe to repeat."""
        with ThreadPoolExecutor() as pool:
            migrations = [pool.submit(self._migrate, name) for name in WITH_STORE]
            asyncio.run(ensure_catalogue(self.stack.bootstrap_servers))
            for migration in migrations:
                migration.result()

    def stop(self) -> None:
        """Stop what hears first and what answers last, each with its drain."""
        self._supervising.clear()
        (self.root / "deployment.json").unlink(missing_ok=True)
        with ThreadPoolExecutor() as pool:
            list(pool.map(lambda name: self[name].stop(), SERVICES))
        self[ISSUER].stop()

    @contextmanager
    def supervised(self) -> Iterator[None]:
        """Within the block a service that ends by itself is started again, as Kubernetes would."""
        self._supervising.set()
        thread = threading.Thread(target=self._restart_ended, daemon=True, name="supervisor")
        thread.start()
        try:
            yield
        finally:
            self._supervising.clear()
            thread.join()

    def addresses(self) -> dict[str, str]:
        """Where everything listens, as the variables that the command line reads."""
        return {
            "ASCOLTO_INGEST_URL": f"http://127.0.0.1:{self.ports['ingest_http']}",
            "ASCOLTO_RESPONDER_URL": f"http://127.0.0.1:{self.ports['responder_http']}",
            **{f"ASCOLTO_{name.upper()}_GRPC": f"127.0.0.1:{self.ports[f'{name}_grpc']}" for name in SERVICES},
            "ASCOLTO_ISSUER_URL": f"http://127.0.0.1:{self.ports[ISSUER]}",
            **self.stack.environment(),
        }

    def _restart_ended(self) -> None:
        pause = threading.Event()
        while self._supervising.is_set():
            for process in self.processes.values():
                if process.has_ended and self._supervising.is_set():
                    process.start()
            pause.wait(RESTART_POLL_SECONDS)

    def _migrate(self, name: str) -> None:
        migrate(self.stack.postgres_dsn, name, migrations_of(name))

    def _tell_addresses(self) -> None:
        """Let the command line of this user find the services: the file carries the database's password."""
        path = self.root / "deployment.json"
        path.touch(mode=0o600)
        path.write_text(json.dumps(self.addresses(), indent=2) + "\n")

    def _program(self, name: str) -> Program:
        if name == ISSUER:
            port = {"DEV_ISSUER_PORT": str(self.ports[ISSUER])}
            return Program(ISSUER, "chassis.dev_issuer", self._environment() | port, None)
        module = self._modules.get(name, f"services.{name}")
        grpc_port = self.ports[f"{name}_grpc"]
        listening = {"GRPC_PORT": str(grpc_port)}
        if name in WITH_HTTP:
            listening["HTTP_PORT"] = str(self.ports[f"{name}_http"])
        return Program(name, module, self._environment() | listening, grpc_port)

    def _environment(self) -> dict[str, str]:
        return {
            "ASCOLTO_PROFILE": "local",
            "LOG_FORMAT": "json",
            # A member that was killed gives its partitions back after the session: soon, on one machine.
            "KAFKA_SESSION_TIMEOUT_MS": "10000",
            "KAFKA_HEARTBEAT_INTERVAL_MS": "2000",
            "KAFKA_DRAIN_TIMEOUT_SECONDS": "5",
            "AUTH_ISSUER": f"http://127.0.0.1:{self.ports[ISSUER]}",
            "INTEGRATIONS_FILE": str(PROJECT / "config" / "integrations.toml"),
            "KNOWLEDGE_DIR": str(PROJECT / "knowledge"),
            "ROUTING_RULES_DIR": str(PROJECT / "config" / "rules"),
            **self.stack.environment(),
            **self._extra,
        }


@contextmanager
def running_deployment(
    root: Path,
    stack: Stack,
    *,
    environment: Mapping[str, str] | None = None,
    modules: Mapping[str, str] | None = None,
) -> Iterator[Deployment]:
    """A deployment for the length of a `with` block."""
    deployment = Deployment(root, stack, environment=environment, modules=modules)
    try:
        deployment.start()
        yield deployment
    finally:
        deployment.stop()
