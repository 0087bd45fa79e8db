"""Starts routing: `python -m services.routing`."""

import sys

from chassis.lifecycle import Lifecycle, run
from chassis.ready import announce_ready
from chassis.settings import EXIT_CONFIGURATION
from chassis.telemetry import setup
from services.routing.rules.problems import RulesError
from services.routing.service import NAME, load_rules, load_settings, start


def main() -> None:
    """Read the configuration, then serve until told to stop."""
    settings = load_settings()
    try:
        rules = load_rules(settings.routing)
    except RulesError as error:
        print(error, file=sys.stderr)  # noqa: T201 - logging is not configured yet
        raise SystemExit(EXIT_CONFIGURATION) from error

    async def serve(lifecycle: Lifecycle) -> None:
        await lifecycle.enter(setup(settings.telemetry, NAME))
        port = await start(lifecycle, settings, rules)
        announce_ready(settings.ready, grpc_port=port)

    run(serve, name=NAME)


if __name__ == "__main__":
    main()
