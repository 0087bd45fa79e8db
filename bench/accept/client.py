"""The load, in a process of its own: warms the server up, waits for the word, sends, prints its measurement."""

import argparse
import asyncio
import sys
from collections import Counter
from collections.abc import Iterator

import uvloop

from bench.accept.source import INTEGRATION, SECRET
from bench.deliveries import Hook
from bench.http_client import connections, exchange_all
from bench.measurement import Stopwatch

HOST = "127.0.0.1"
CONNECTIONS = 64
OK = 200


def main() -> None:
    """Read from the command line where to send and how much."""
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("requests", type=int)
    parser.add_argument("warm_up", type=int)
    given = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_load(given.port, given.requests, given.warm_up))


async def _load(port: int, requests: int, warm_up: int) -> None:
    hook = Hook(f"{HOST}:{port}", INTEGRATION.id, SECRET)
    async with connections(HOST, port, CONNECTIONS) as opened:
        _check(await exchange_all(opened, iter(list(_deliveries(hook, "warm-up", warm_up)))))
        deliveries = list(_deliveries(hook, "post", requests))
        _say("ready")
        await asyncio.to_thread(sys.stdin.readline)
        stopwatch = Stopwatch()
        stopwatch.begin()
        statuses = await exchange_all(opened, iter(deliveries))
        measured = stopwatch.end(requests)
    _check(statuses)
    _say(measured.to_json())


def _deliveries(hook: Hook, name: str, count: int) -> Iterator[bytes]:
    return (hook.delivery(f"{name}-{number}", number) for number in range(count))


def _check(statuses: list[int]) -> None:
    assert set(statuses) == {OK}, Counter(statuses)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
