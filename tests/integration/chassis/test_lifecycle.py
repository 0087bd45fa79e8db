"""Whole processes and real signals: what is drained, in which order, and with which exit code it ends."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

PRELUDE = """
import asyncio, os
from contextlib import asynccontextmanager
from chassis.lifecycle import Lifecycle, run

@asynccontextmanager
async def resource(name, leave_seconds=0.0):
    print("enter", name, flush=True)
    yield name
    await asyncio.sleep(leave_seconds)
    print("leave", name, flush=True)

async def fail():
    await asyncio.sleep(0.05)
    raise ValueError("what somebody wrote")

async def work(name):
    try:
        await asyncio.Event().wait()
    finally:
        print("leave", name, flush=True)
"""


@contextmanager
def _process(main: str, **environment: str) -> Iterator[subprocess.Popen[str]]:
    body = "".join(f"    {line}\n" for line in main.strip().splitlines())
    program = f"{PRELUDE}\nasync def main(lifecycle):\n{body}\nrun(main, name='sample')\n"
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def _end(process: subprocess.Popen[str]) -> tuple[int, list[str], list[dict[str, Any]]]:
    out, err = process.communicate(timeout=20)
    return process.returncode, out.split("\n")[:-1], [json.loads(line) for line in err.splitlines()]


def _await_line(process: subprocess.Popen[str], expected: str) -> None:
    assert process.stdout
    assert process.stdout.readline().strip() == expected


def _await_event(process: subprocess.Popen[str], event: str) -> None:
    assert process.stderr
    while json.loads(process.stderr.readline())["event"] != event:
        pass


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains_in_reverse_order(number: signal.Signals) -> None:
    main = """
await lifecycle.enter(resource("pool"))
lifecycle.background(work("relay"), "relay")
await lifecycle.enter(resource("server"))
await asyncio.sleep(0)
print("up", flush=True)
"""
    with _process(main) as process:
        for line in ("enter pool", "enter server", "up"):
            _await_line(process, line)
        process.send_signal(number)
        code, out, _ = _end(process)
    assert (code, out) == (0, ["leave server", "leave relay", "leave pool"])


def test_a_background_task_that_fails_stops_the_process_and_is_named_without_its_text() -> None:
    main = """
await lifecycle.enter(resource("pool"))
lifecycle.background(fail(), "drafter")
"""
    with _process(main) as process:
        code, out, log = _end(process)
    failed = next(line for line in log if line["event"] == "background_task_failed")
    assert (code, out) == (1, ["enter pool", "leave pool"])
    assert (failed["task"], failed["error_class"]) == ("drafter", "ValueError")
    assert "what somebody wrote" not in json.dumps(log)


def test_a_second_signal_exits_at_once() -> None:
    with _process('await lifecycle.enter(resource("slow", 60))\n') as process:
        _await_line(process, "enter slow")
        process.terminate()
        _await_event(process, "process_stopping")
        process.terminate()
        code, out, _ = _end(process)
    assert (code, out) == (128 + signal.SIGTERM, [])


def test_a_step_that_hangs_is_cut_off_and_the_rest_is_done() -> None:
    main = """
await lifecycle.enter(resource("pool"))
await lifecycle.enter(resource("hanging", 60))
lifecycle.stop()
"""
    started = time.monotonic()
    with _process(main, SHUTDOWN_GRACE_SECONDS="1") as process:
        code, out, log = _end(process)
    assert (code, out[-1]) == (0, "leave pool")
    assert next(line["step"] for line in log if line["event"] == "shutdown_step_cut_off") == "resource"
    assert time.monotonic() - started < 15


def test_a_task_that_refuses_to_end_does_not_keep_the_process() -> None:
    main = """
async def stubborn():
    while True:
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            print("no", flush=True)
lifecycle.background(stubborn(), "stubborn")
await asyncio.sleep(0)
lifecycle.stop()
"""
    with _process(main, SHUTDOWN_GRACE_SECONDS="0.5") as process:
        code, _, log = _end(process)
    assert (code, log[-1]["event"]) == (1, "process_did_not_stop")


def test_a_step_that_fails_does_not_keep_the_rest_from_being_done() -> None:
    main = """
@asynccontextmanager
async def broken():
    yield
    raise ValueError("broken")
await lifecycle.enter(resource("pool"))
await lifecycle.enter(broken())
lifecycle.stop()
"""
    with _process(main) as process:
        code, out, log = _end(process)
    assert (code, out) == (0, ["enter pool", "leave pool"])
    assert "shutdown_step_failed" in [line["event"] for line in log]


def test_a_stop_during_the_start_cancels_the_start() -> None:
    main = """
await lifecycle.enter(resource("pool"))
await asyncio.Event().wait()
"""
    with _process(main) as process:
        _await_line(process, "enter pool")
        process.terminate()
        code, out, _ = _end(process)
    assert (code, out) == (0, ["leave pool"])


def test_a_start_that_fails_drains_what_was_entered() -> None:
    with _process('await lifecycle.enter(resource("pool"))\nraise ValueError("no")\n') as process:
        code, out, log = _end(process)
    assert (code, out) == (1, ["enter pool", "leave pool"])
    assert "process_failed_to_start" in [line["event"] for line in log]


def test_wrong_settings_end_the_process_with_78_even_inside_main() -> None:
    main = """
await lifecycle.enter(resource("pool"))
from chassis.postgres import PostgresSettings
from chassis.settings import load
load(PostgresSettings)
"""
    with _process(main, POSTGRES_DSN="mysql://x") as process:
        out, err = process.communicate(timeout=20)
    assert process.returncode == 78
    assert out.splitlines() == ["enter pool", "leave pool"]
    assert "POSTGRES_DSN: is set to something that cannot be used; give a PostgreSQL URL" in err


def test_the_process_is_not_ready_while_it_drains() -> None:
    main = """
lifecycle.background(work("task"), "task")
print(lifecycle.health.ready(), flush=True)
lifecycle.stop()
print(lifecycle.health.ready(), flush=True)
"""
    with _process(main) as process:
        _, out, _ = _end(process)
    assert out[:2] == ["(True, {})", "(False, {'lifecycle': 'the process is stopping'})"]
