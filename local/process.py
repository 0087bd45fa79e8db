"""Child processes: programs that run once, and servers that are never left behind."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psutil

from local.errors import StackError

GUARD = Path(__file__).with_name("guard.py")


@dataclass(frozen=True)
class Account:
    """The operating-system user that a program runs as."""

    uid: int
    gid: int


@dataclass(frozen=True)
class Launch:
    """How to start a server and how to ask it to end."""

    command: list[str]
    folder: Path
    environment: Mapping[str, str] | None = None
    """All of its variables; None: those of this process."""
    account: Account | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    stop_deadline_seconds: float = 20.0


def run(
    command: list[str],
    *,
    folder: Path | None = None,
    environment: Mapping[str, str] | None = None,
    account: Account | None = None,
    inherit: Sequence[int] = (),
) -> "subprocess.CompletedProcess[str]":
    """Run a program to its end and return what it said; its exit code is the caller's to judge."""
    return subprocess.run(  # noqa: S603 (the stack's own programs)
        command,
        cwd=folder,
        env=environment,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
        pass_fds=inherit,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


class SupervisedProcess:
    """A server beneath its guard: stopped by order or by the death of this process (see `guard.py`)."""

    def __init__(self, launch: Launch, *, log: Path, inherit: int) -> None:
        """Start it, its output appended to `log`; every process of the server inherits the descriptor.

        Raise StackError if the program cannot be run.
        """
        with log.open("ab") as output:
            self._guard = subprocess.Popen(  # noqa: S603 (the stack's own program)
                [sys.executable, "-I", "-S", str(GUARD), _order(launch, inherit)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                env=launch.environment,
                pass_fds=(inherit,),
                start_new_session=True,
            )
        self.pid = self._read_server_pid(launch.command[0], log)

    def _read_server_pid(self, program: str, log: Path) -> int:
        with _pipe(self._guard.stdout) as answer:
            line = answer.readline()
        if not line:
            self.stop()
            raise StackError(f"{program} cannot be run: {log} ends with the reason.")
        return int(line)

    @property
    def exit_code(self) -> int | None:
        """The server's exit code (128 + n when signal n ended it), or None while it runs."""
        return self._guard.poll()

    def stop(self) -> None:
        """Ask the server to end, and return when it has; past its deadline the guard kills it."""
        _pipe(self._guard.stdin).close()
        self._guard.wait()

    def kill(self) -> None:
        """End the server and all its children at once, as a crash would (SIGKILL)."""
        with suppress(psutil.NoSuchProcess):
            server = psutil.Process(self.pid)
            for process in (*server.children(recursive=True), server):
                with suppress(psutil.NoSuchProcess):
                    process.kill()
        self.stop()


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    if pipe is None:
        raise StackError("The guard was started without its pipes.")
    return pipe


def _order(launch: Launch, inherit: int) -> str:
    """Everything that the guard needs, as its one argument."""
    return json.dumps(
        {
            "command": launch.command,
            "folder": str(launch.folder),
            "uid": launch.account.uid if launch.account else None,
            "gid": launch.account.gid if launch.account else None,
            "stop_signal": launch.stop_signal,
            "stop_deadline_seconds": launch.stop_deadline_seconds,
            "inherit": [inherit],
            "parent_pid": os.getpid(),
        },
    )
