"""The load, in a process of its own: warms the server up, waits for the word, sends, prints its measurement."""

import argparse
import asyncio
import sys
from collections import Counter
from collections.abc import Iterator

import uvloop

from bench.accept.senders import SENDERS, Sender
from bench.http_client import connections, exchange_all
from bench.measurement import Stopwatch

HOST = "127.0.0.1"
CONNECTIONS = 64
OK = 200
WARM_UP_FROM = 1_000_000_000
"""Serial numbers of the warm-up: no measured delivery has one of them."""


def main() -> None:
    """Read from the command line who sends, where to and how much."""
    parser = argparse.ArgumentParser()
    parser.add_argument("sender", choices=SENDERS)
    parser.add_argument("port", type=int)
    parser.add_argument("requests", type=int)
    parser.add_argument("warm_up", type=int)
    parser.add_argument("--as-it-goes", action="store_true", help="make deliveries while sending: they are too many")
    given = parser.parse_args()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_load(SENDERS[given.sender](), given))


async def _load(sender: Sender, given: argparse.Namespace) -> None:
    port, requests, warm_up = given.port, given.requests, given.warm_up
    async with connections(HOST, port, CONNECTIONS) as opened:
        _check(await exchange_all(opened, _deliveries(sender, port, range(WARM_UP_FROM, WARM_UP_FROM + warm_up))))
        deliveries = _deliveries(sender, port, range(requests))
        if not given.as_it_goes:
            deliveries = iter(list(deliveries))
        _say("ready")
        await asyncio.to_thread(sys.stdin.readline)
        stopwatch = Stopwatch()
        stopwatch.begin()
        statuses = await exchange_all(opened, deliveries)
        measured = stopwatch.end(requests)
    _check(statuses)
    _say(measured.to_json())


def _deliveries(sender: Sender, port: int, serials: range) -> Iterator[bytes]:
    return (sender.delivery(f"{HOST}:{port}", serial) for serial in serials)


def _check(statuses: list[int]) -> None:
    assert set(statuses) == {OK}, Counter(statuses)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
