"""The HTTP server of ingest in a process of its own: prints its port, serves until its input ends."""

import sys

from bench import process
from bench.accept.acceptors import ACCEPTORS
from bench.accept.senders import SENDERS
from chassis.clock import utc_now
from chassis.http_server import HttpSettings, serve_http
from chassis.lifecycle import Lifecycle
from services.ingest.settings import ChatSettings
from services.ingest.sources import build_sources
from services.ingest.web import build_app


def main() -> None:
    """Serve for the sender, and with the acceptor, that the command line names."""
    process.run(_serve)


async def _serve(lifecycle: Lifecycle) -> None:
    await lifecycle.enter(process.traced())
    sender, acceptor_name = sys.argv[1:]
    acceptor = await lifecycle.enter(ACCEPTORS[acceptor_name]())
    sources = build_sources(SENDERS[sender]().integrations, b"k" * 32)
    app = build_app(lambda: sources, acceptor, utc_now, ChatSettings(profile="local"))
    server = await lifecycle.enter(serve_http(app, HttpSettings(port=0)))
    process.say(str(server.port))
    process.stop_when_told(lifecycle)


if __name__ == "__main__":
    main()
