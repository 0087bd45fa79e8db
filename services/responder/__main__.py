"""Starts responder: `python -m services.responder`."""

import sys

from chassis.lifecycle import Lifecycle, run
from chassis.ready import announce_ready
from chassis.settings import EXIT_CONFIGURATION
from contracts.integrations import IntegrationsError
from services.responder.knowledge import KnowledgeError
from services.responder.service import NAME, load_resources, load_settings, start, telemetry


def main() -> None:
    """Read the configuration, then serve until told to stop."""
    settings = load_settings()
    try:
        resources = load_resources(settings.responder)
    except (IntegrationsError, KnowledgeError, ValueError) as error:
        print(error, file=sys.stderr)  # noqa: T201 - logging is not configured yet
        raise SystemExit(EXIT_CONFIGURATION) from error

    async def serve(lifecycle: Lifecycle) -> None:
        await lifecycle.enter(telemetry(settings.telemetry))
        ports = await start(lifecycle, settings, resources)
        announce_ready(settings.ready, http_port=ports.http, grpc_port=ports.grpc)

    run(serve, name=NAME)


if __name__ == "__main__":
    main()
