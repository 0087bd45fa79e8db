"""`python -m bench [SUITE ...]`: runs the suites and prints their tables; a missed target is told, and no error."""

import argparse
import json
import logging
import tempfile
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from rich.console import Console

from bench import machine
from bench.accept import suite as accept
from bench.classifier import suite as classifier
from bench.latency import suite as latency
from bench.memory import suite as memory
from bench.result import Result, Run
from bench.routing import suite as routing

SUITES: Final[Mapping[str, Callable[[Run], Result]]] = {
    "classifier": classifier.run,
    "routing": routing.run,
    "routing-linear": routing.run_linear,
    "accept": accept.run,
    "networks": accept.run_networks,
    "latency": latency.run,
    "memory": memory.run,
}
QUICK_SCALE: Final = 0.1
MIN_WIDTH: Final = 110


def main() -> None:
    """Run what the command line names."""
    options = _parser().parse_args()
    logging.disable(logging.WARNING)  # clients warn of what they try again, such as topics that were made just now
    console = Console(width=max(Console().width, MIN_WIDTH))
    found: dict[str, Any] = {"at": datetime.now(UTC).isoformat(timespec="seconds"), "machine": machine.description()}
    console.print(machine.line())
    for name in options.suites or SUITES:
        result = _run(name, options, console)
        console.print(result.tables(), machine.line())
        found[name] = result.figures()
    if options.json:
        options.json.write_text(json.dumps(found, indent=2) + "\n")


def _run(name: str, options: argparse.Namespace, console: Console) -> Result:
    # Not below a folder that is closed to other users: as root, PostgreSQL runs as another.
    with tempfile.TemporaryDirectory(prefix="ascolto-bench-", ignore_cleanup_errors=True) as folder:
        scale = QUICK_SCALE if options.quick else 1.0
        with console.status(f"{name} ...") as status:
            return SUITES[name](Run(Path(folder), options.rounds, scale, lambda step: status.update(f"{name}: {step}")))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=f"any of {', '.join(SUITES)} (default: all)")
    parser.add_argument("--rounds", type=int, default=7, help="how often each contestant runs (default: %(default)s)")
    parser.add_argument("--quick", action="store_true", help="a tenth of the size: does it run at all?")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write every figure of every round to FILE")
    return parser


if __name__ == "__main__":
    main()
