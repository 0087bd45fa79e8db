"""`python -m local up|down|status|env`: the stack from a terminal."""

import argparse
import os
import shlex
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from local import locks
from local.errors import StackError
from local.stack import Stack, lock_file, running_environment, running_stack

DEFAULT_ROOT = Path(".local")
HEALTH_POLL_SECONDS = 0.5
STOP_DEADLINE_SECONDS = 60.0


def up(options: argparse.Namespace) -> int:
    """Run the stack until Ctrl-C or SIGTERM."""
    # SIGINT too: a shell ignores it for what it starts in the background, and then so would we.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    _say(f"Starting in {options.root} (the first time fetches Kafka's jars, about 50 MB) ...")
    try:
        with running_stack(options.root, kafka=options.kafka, postgres=options.postgres) as stack:
            for name, value in stack.environment().items():
                _print(f"export {name}={shlex.quote(value)}")
            return _watch(stack)
    except KeyboardInterrupt:
        _say("Stopped.")
        return 0


def _watch(stack: Stack) -> int:
    _say(f"Ready. Logs are in {stack.root / 'logs'}. Ctrl-C stops.")
    while not (ended := stack.ended_servers()):
        time.sleep(HEALTH_POLL_SECONDS)
    _say(f"{' and '.join(ended)} ended unexpectedly; stopping the rest. See {stack.root / 'logs'}.")
    return 1


def down(options: argparse.Namespace) -> int:
    """Stop the stack that runs in this folder, wherever it was started."""
    holder = locks.holder(lock_file(options.root))
    if holder is None:
        _say(f"No stack runs in {options.root}.")
        return 0
    os.kill(holder, signal.SIGTERM)
    descriptor = locks.wait_for(lock_file(options.root), STOP_DEADLINE_SECONDS)
    if descriptor is None:
        _say(f"Process {holder} still runs the stack after {STOP_DEADLINE_SECONDS:.0f} s.")
        return 1
    os.close(descriptor)
    _say("Stopped.")
    return 0


def status(options: argparse.Namespace) -> int:
    """Say whether a stack runs in this folder; exit code 0 if it is ready, 3 if not."""
    holder = locks.holder(lock_file(options.root))
    if holder is None:
        _print(f"stopped ({options.root})")
        return 3
    if running_environment(options.root) is None:
        _print(f"starting or stopping: process {holder} ({options.root})")
        return 3
    _print(f"ready: process {holder} ({options.root})")
    return 0


def env(options: argparse.Namespace) -> int:
    """Print the variables that lead to the running stack, one NAME=value a line."""
    environment = running_environment(options.root)
    if environment is None:
        _say(f"No stack is ready in {options.root}: start one with `python -m local up`.")
        return 3
    for name, value in environment.items():
        _print(f"{name}={value}")
    return 0


COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "up": up,
    "down": down,
    "status": status,
    "env": env,
}


def parser() -> argparse.ArgumentParser:
    """The command line."""
    commands = "; ".join(f"{name}: {command.__doc__}" for name, command in COMMANDS.items())
    result = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    result.add_argument("command", choices=COMMANDS, help=commands)
    result.add_argument("--root", type=Path, default=DEFAULT_ROOT, help="its folder (default: %(default)s)")
    result.add_argument("--no-kafka", dest="kafka", action="store_false", help="up: run PostgreSQL only")
    result.add_argument("--no-postgres", dest="postgres", action="store_false", help="up: run Kafka only")
    return result


def main() -> int:
    """Parse the command line and hand over."""
    options = parser().parse_args()
    try:
        return COMMANDS[options.command](options)
    except StackError as error:
        _say(str(error))
        return 1


def _print(text: str) -> None:
    """Answer: standard output is kept for what programs read."""
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def _say(text: str) -> None:
    """Talk to the person at the terminal."""
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


if __name__ == "__main__":
    sys.exit(main())
