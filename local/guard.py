"""The guard of one server: a tiny parent process that stops the server when the stack is gone.

Run as a script, on the standard library alone. Its standard input is a pipe whose other end only the stack
holds: end of file, because the stack closed it or was killed, is the order to stop. On its standard output it
names the server's process id. Its exit code is the server's.
"""

import contextlib
import ctypes
import json
import os
import select
import signal
import subprocess
import sys
from typing import Any

PARENT_CHECK_SECONDS = 1.0
PR_SET_PDEATHSIG = 1
STANDARD_INPUT, STANDARD_OUTPUT, STANDARD_ERROR = 0, 1, 2


def main(order: dict[str, Any]) -> int:
    """Run `order["command"]` until it ends, or until the stack asks for its end or is gone."""
    woken = _wakeup_pipe()
    server = _start(order)
    with contextlib.suppress(BrokenPipeError):
        os.write(STANDARD_OUTPUT, f"{server.pid}\n".encode())
    while server.poll() is None and not _told_to_stop(woken) and os.getppid() == order["parent_pid"]:
        pass
    return _stop(server, order["stop_signal"], order["stop_deadline_seconds"])


def _start(order: dict[str, Any]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(  # noqa: S603 (the stack's own program)
        order["command"],
        stdin=subprocess.DEVNULL,
        stdout=STANDARD_ERROR,
        stderr=STANDARD_ERROR,
        cwd=order["folder"],
        user=order["uid"],
        group=order["gid"],
        extra_groups=None if order["gid"] is None else [],
        pass_fds=order["inherit"],
        start_new_session=True,
        preexec_fn=_die_with_the_guard,  # noqa: PLW1509 (the guard has one thread)
    )


def _die_with_the_guard() -> None:
    """Ask Linux to kill the server should the guard itself be killed."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _wakeup_pipe() -> int:
    """Return a descriptor that becomes readable when a signal arrives, so that waiting needs no polling."""
    readable, writable = os.pipe()
    os.set_blocking(writable, False)
    signal.set_wakeup_fd(writable)
    for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, lambda *_: None)
    return readable


def _told_to_stop(woken: int) -> bool:
    """Wait for news; not for ever, as a forked child of the stack may outlive it and hold the pipe."""
    ready, _, _ = select.select([STANDARD_INPUT, woken], [], [], PARENT_CHECK_SECONDS)
    signals = os.read(woken, 64) if woken in ready else b""
    return STANDARD_INPUT in ready or bool(set(signals) - {signal.SIGCHLD})


def _stop(server: "subprocess.Popen[bytes]", stop_signal: int, deadline_seconds: float) -> int:
    if server.poll() is None:
        server.send_signal(stop_signal)
    try:
        code = server.wait(deadline_seconds)
    except subprocess.TimeoutExpired:
        server.kill()
        code = server.wait()
    with contextlib.suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1])))
