"""What each embedded server has: a data folder, a log, a lock, and a start that returns when it serves."""

import os
import shutil
import time
from abc import ABC, abstractmethod
from pathlib import Path

from local import locks
from local.errors import NotOurServerError, ServerStartError, StackError
from local.process import Launch, SupervisedProcess

PREDECESSOR_DEADLINE_SECONDS = 30.0
READY_POLL_SECONDS = 0.05
LOG_TAIL_LINES = 20
LOG_TURN_BYTES = 16 * 1024 * 1024


class Server(ABC):
    """A server that tests may use and, to see what happens, take away."""

    @property
    @abstractmethod
    def pid(self) -> int:
        """The server's own process id. Raise StackError if it was not started."""

    @abstractmethod
    def start(self) -> None:
        """Start it, on the same port and data as before, and return when it serves; nothing if it runs."""

    @abstractmethod
    def stop(self) -> None:
        """End it cleanly, and return when all its processes are gone; nothing if it does not run."""

    @abstractmethod
    def kill(self) -> None:
        """End it as a crash would (SIGKILL), and return when all its processes are gone."""


class ExternalServer(Server):
    """A server that somebody else runs. Every control raises NotOurServerError."""

    def __init__(self, name: str, variable: str) -> None:
        """`variable` is the environment variable that points at the server."""
        self._name, self._variable = name, variable

    @property
    def pid(self) -> int:
        """Refuse."""
        raise self._refusal()

    def start(self) -> None:
        """Refuse."""
        raise self._refusal()

    def stop(self) -> None:
        """Refuse."""
        raise self._refusal()

    def kill(self) -> None:
        """Refuse."""
        raise self._refusal()

    def _refusal(self) -> NotOurServerError:
        return NotOurServerError(
            f"{self._name} was given by {self._variable} and is not ours to start or stop: "
            f"unset {self._variable} to run one in this stack.",
        )


class EmbeddedServer(Server):
    """A server that this stack runs. One thread at a time may control it."""

    name: str
    start_deadline_seconds: float

    def __init__(self, root: Path) -> None:
        """`root` is the stack's folder; the server keeps to `root/<name>` and `root/logs/<name>.log`."""
        self.folder = root / self.name
        self.data = self.folder / "data"
        self.log = root / "logs" / f"{self.name}.log"
        self._process: SupervisedProcess | None = None

    @abstractmethod
    def _create_data(self, folder_descriptor: int) -> None:
        """Fill the empty data folder, once in its life."""

    @abstractmethod
    def _launch(self, folder_descriptor: int) -> Launch:
        """Say how to start the server now; its processes will inherit the descriptor of its folder."""

    @abstractmethod
    def _is_ready(self) -> bool:
        """Ask the server, as a client would, whether it serves."""

    @property
    def pid(self) -> int:
        """See `Server.pid`."""
        return self._supervised().pid

    @property
    def is_running(self) -> bool:
        """Whether the server was started and has not ended since."""
        return self._process is not None and self._process.exit_code is None

    def start(self) -> None:
        """See `Server.start`. Raise ServerStartError with the tail of the log if it does not become ready."""
        if self.is_running:
            return
        self.stop()
        log_offset = open_log(self.log)
        self._spawn()
        try:
            self._wait_until_ready(log_offset)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """See `Server.stop`."""
        if self._process is not None:
            self._process.stop()
            self._process = None
            wait_until_gone(self.folder)

    def kill(self) -> None:
        """See `Server.kill`."""
        if self._process is not None:
            self._process.kill()
            self._process = None
            wait_until_gone(self.folder)

    def _spawn(self) -> None:
        descriptor = lock_folder(self.folder)
        try:
            self._ensure_data(descriptor)
            self._process = SupervisedProcess(self._launch(descriptor), log=self.log, inherit=descriptor)
        finally:
            os.close(descriptor)

    def _ensure_data(self, folder_descriptor: int) -> None:
        """Create the data folder, from the start again if an earlier attempt was cut short."""
        complete = self.folder / "data-is-complete"
        if complete.exists():
            return
        if self.data.exists():
            shutil.rmtree(self.data)
        self.data.mkdir(mode=0o700)
        self._create_data(folder_descriptor)
        complete.touch()

    def _supervised(self) -> SupervisedProcess:
        if self._process is None:
            raise StackError(f"{self.name} is not running.")
        return self._process

    def _wait_until_ready(self, log_offset: int) -> None:
        give_up_at = time.monotonic() + self.start_deadline_seconds
        while not self._is_ready():
            exit_code = self._supervised().exit_code
            if exit_code is not None:
                raise self._start_error(f"ended with exit code {exit_code}", log_offset)
            if time.monotonic() > give_up_at:
                raise self._start_error(f"did not serve within {self.start_deadline_seconds:.0f} s", log_offset)
            time.sleep(READY_POLL_SECONDS)

    def _start_error(self, what: str, log_offset: int) -> ServerStartError:
        lines = self.log.read_bytes()[log_offset:].decode(errors="replace").splitlines()
        tail = "\n  ".join(lines[-LOG_TAIL_LINES:])
        return ServerStartError(f"{self.name} {what}. The end of {self.log}:\n  {tail}")


def lock_folder(folder: Path) -> int:
    """Lock a server's folder, which waits until no process of an earlier run, ours or another's, uses it."""
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = locks.wait_for(folder, PREDECESSOR_DEADLINE_SECONDS)
    if descriptor is None:
        raise StackError(
            f"A server of an earlier run still uses {folder} after {PREDECESSOR_DEADLINE_SECONDS:.0f} s: "
            "end it, or give another folder.",
        )
    return descriptor


def wait_until_gone(folder: Path) -> None:
    """Return when no process of an earlier run uses a server's folder."""
    os.close(lock_folder(folder))


def open_log(log: Path) -> int:
    """Make sure that the log exists and return its length. One that has grown large is put aside first."""
    log.parent.mkdir(parents=True, exist_ok=True)
    log.touch()
    if log.stat().st_size > LOG_TURN_BYTES:
        log.replace(log.with_suffix(".old.log"))
        log.touch()
    return log.stat().st_size
