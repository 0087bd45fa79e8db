"""Starts ingest: `python -m services.ingest`."""

import sys

from chassis.lifecycle import Lifecycle, run
from chassis.ready import announce_ready
from chassis.settings import EXIT_CONFIGURATION
from contracts.integrations import IntegrationsError
from services.ingest.service import NAME, load_settings, load_sources, start, telemetry


def main() -> None:
    """Read the configuration, then serve until told to stop."""
    settings = load_settings()
    try:
        sources = load_sources(settings.ingest)
    except IntegrationsError as error:
        print(error, file=sys.stderr)  # noqa: T201 - logging is not configured yet
        raise SystemExit(EXIT_CONFIGURATION) from error

    async def serve(lifecycle: Lifecycle) -> None:
        await lifecycle.enter(telemetry(settings.telemetry))
        ports = await start(lifecycle, settings, sources)
        announce_ready(settings.ready, http_port=ports.http, grpc_port=ports.grpc)

    run(serve, name=NAME)


if __name__ == "__main__":
    main()
