"""Starts feedback: `python -m services.feedback`."""

from chassis.lifecycle import Lifecycle, run
from chassis.ready import announce_ready
from services.feedback.service import NAME, load_settings, start, telemetry


def main() -> None:
    """Read the configuration, then serve until told to stop."""
    settings = load_settings()

    async def serve(lifecycle: Lifecycle) -> None:
        await lifecycle.enter(telemetry(settings.telemetry))
        ports = await start(lifecycle, settings)
        announce_ready(settings.ready, grpc_port=ports.grpc)

    run(serve, name=NAME)


if __name__ == "__main__":
    main()
