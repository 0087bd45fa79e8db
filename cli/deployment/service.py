"""One service as a process: started, asked whether it is ready, stopped as Kubernetes would, or killed."""

import os
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import grpc
from grpc_health.v1 import health_pb2

from local import locks
from local.errors import StackError
from local.process import Launch, SupervisedProcess

READY_DEADLINE_SECONDS = 60.0
STOP_DEADLINE_SECONDS = 30.0
POLL_SECONDS = 0.05
LOG_TAIL_LINES = 20


@dataclass(frozen=True)
class Program:
    """What to run: `python -m <module>` with these variables; `grpc_port` answers health checks, if it has one."""

    name: str
    module: str
    environment: Mapping[str, str]
    grpc_port: int | None


class ServiceProcess:
    """One process at a time of a program; a new start waits until the one before is gone."""

    def __init__(self, program: Program, root: Path) -> None:
        """`root` holds `logs/<name>.log` and the folder `<name>`, which the process keeps locked while it lives."""
        self.program = program
        self.log = root / "logs" / f"{program.name}.log"
        self._folder = root / program.name
        self._process: SupervisedProcess | None = None

    @property
    def is_running(self) -> bool:
        """Whether it was started and has not ended since."""
        return self._process is not None and self._process.exit_code is None

    @property
    def has_ended(self) -> bool:
        """Whether it ended although nobody stopped it."""
        return self._process is not None and self._process.exit_code is not None

    @property
    def pid(self) -> int:
        """The id of the process; raises StackError where it was not started."""
        if self._process is None:
            raise StackError(f"{self.program.name} is not running.")
        return self._process.pid

    def start(self) -> None:
        """Start the process; `wait_ready` tells when it serves."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self._folder.mkdir(exist_ok=True)
        descriptor = locks.wait_for(self._folder, STOP_DEADLINE_SECONDS)
        if descriptor is None:
            raise StackError(f"An earlier {self.program.name} still runs: `fuser {self._folder}` names it.")
        try:
            self._process = SupervisedProcess(self._launch(), log=self.log, inherit=descriptor)
        finally:
            os.close(descriptor)

    def stop(self) -> None:
        """SIGTERM, and wait for the drain; nothing where it does not run."""
        process, self._process = self._process, None  # before it ends: a supervisor must not take it for a crash
        if process is not None:
            process.stop()

    def kill(self) -> None:
        """SIGKILL, as a crash of the machine would."""
        process, self._process = self._process, None  # as in `stop`
        if process is not None:
            process.kill()

    def wait_ready(self, deadline_seconds: float = READY_DEADLINE_SECONDS) -> None:
        """Return when the service says that it is ready; raise StackError with its last log lines if it ends."""
        give_up_at = time.monotonic() + deadline_seconds
        while not self._is_ready():
            if self.has_ended:
                raise StackError(f"{self.program.name} ended. {self.log_tail()}")
            if time.monotonic() > give_up_at:
                raise StackError(f"{self.program.name} was not ready in {deadline_seconds:.0f} s. {self.log_tail()}")
            time.sleep(POLL_SECONDS)

    def log_tail(self) -> str:
        """The last lines of the log, for people."""
        lines = self.log.read_text(errors="replace").splitlines()[-LOG_TAIL_LINES:]
        return f"The end of {self.log}:\n  " + "\n  ".join(lines)

    def _launch(self) -> Launch:
        return Launch(
            command=[sys.executable, "-m", self.program.module],
            folder=Path.cwd(),
            environment={**os.environ, **self.program.environment},
            stop_deadline_seconds=STOP_DEADLINE_SECONDS,
        )

    def _is_ready(self) -> bool:
        if self.program.grpc_port is None:
            return self.is_running
        with grpc.insecure_channel(f"127.0.0.1:{self.program.grpc_port}") as channel:
            ask = channel.unary_unary(
                "/grpc.health.v1.Health/Check",
                request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
                response_deserializer=health_pb2.HealthCheckResponse.FromString,
            )
            try:
                reply = ask(health_pb2.HealthCheckRequest(service="readiness"), timeout=1.0)
            except grpc.RpcError:
                return False
        return bool(reply.status == health_pb2.HealthCheckResponse.SERVING)
