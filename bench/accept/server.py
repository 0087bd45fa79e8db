"""The HTTP server of ingest in a process of its own: prints its port, serves until its input ends."""

import asyncio
import sys

from bench import process
from bench.accept.acceptors import ACCEPTORS
from bench.accept.source import INTEGRATION
from chassis.clock import utc_now
from chassis.http_server import HttpSettings, serve_http
from services.ingest.settings import ChatSettings
from services.ingest.sources import build_sources
from services.ingest.web import build_app


def main() -> None:
    """Serve with the acceptor that the command line names."""
    process.run(_serve(sys.argv[1]))


async def _serve(name: str) -> None:
    sources = build_sources({INTEGRATION.id: INTEGRATION}, b"k" * 32)
    async with process.traced(), ACCEPTORS[name]() as acceptor:
        app = build_app(sources, acceptor, utc_now, ChatSettings(profile="local"))
        async with serve_http(app, HttpSettings(port=0)) as server:
            sys.stdout.write(f"{server.port}\n")
            sys.stdout.flush()
            await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    main()
