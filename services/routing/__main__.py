"""Starts routing: `python -m services.routing`."""

from chassis.lifecycle import Lifecycle, run
from chassis.ready import announce_ready
from chassis.telemetry import setup
from services.routing.service import NAME, load_settings, start


def main() -> None:
    """Read the configuration, then serve until told to stop."""
    settings = load_settings()

    async def serve(lifecycle: Lifecycle) -> None:
        await lifecycle.enter(setup(settings.telemetry, NAME))
        port = await start(lifecycle, settings)
        announce_ready(settings.ready, grpc_port=port)

    run(serve, name=NAME)


if __name__ == "__main__":
    main()
