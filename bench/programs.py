"""Contestants as processes of their own, so that each is charged with its own CPU and nobody else's."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO


class ContestantFailed(Exception):  # noqa: N818 - named after what happened
    """A contestant ended without an answer; the message ends with what it said."""


@contextmanager
def running(
    module: str, arguments: Sequence[str], log: Path, environment: Mapping[str, str] | None = None
) -> Iterator["Program"]:
    """Run `python -m module` during the block; it ends at the end of its input, or by itself.

    `environment` is added to this process's own.
    """
    with log.open("ab") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env={**os.environ, **(environment or {})},
        )
    program = Program(process, log)
    try:
        yield program
        program.finish()
    finally:
        process.kill()
        process.wait()


class Program:
    """A running contestant: told and asked in lines."""

    def __init__(self, process: "subprocess.Popen[str]", log: Path) -> None:
        self._process = process
        self._log = log
        self.pid = process.pid

    def tell(self, line: str) -> None:
        """Send one line."""
        pipe = _pipe(self._process.stdin)
        pipe.write(line + "\n")
        pipe.flush()

    def answer(self) -> str:
        """Wait for one line; raises ContestantFailed where it ends instead."""
        line = _pipe(self._process.stdout).readline()
        if not line:
            self._process.wait()
            raise ContestantFailed(f"exit code {self._process.returncode}: {self._log.read_text()[-2000:]}")
        return line.rstrip("\n")

    def finish(self) -> None:
        """End its input and wait for its end; raises ContestantFailed where that is no good one."""
        _pipe(self._process.stdin).close()
        if self._process.wait() != 0:
            raise ContestantFailed(f"exit code {self._process.returncode}: {self._log.read_text()[-2000:]}")


def _pipe(pipe: IO[str] | None) -> IO[str]:
    assert pipe is not None, "made with pipes"
    return pipe
