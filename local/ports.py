"""Free loopback ports, remembered so that a restart keeps them."""

import json
import random
import socket
from collections.abc import Sequence
from pathlib import Path

from local.errors import StackError

LOOPBACK = "127.0.0.1"

# Below the ports that Linux (32768) and macOS (49152) hand to outgoing connections: a client that keeps
# reconnecting to a stopped server could otherwise be given that very port and connect to itself.
CANDIDATES = range(20_000, 32_000)
_ATTEMPTS = 200


def is_free(port: int) -> bool:
    """Whether a server could listen on this loopback port now."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
    return True


def remembered_ports(path: Path, names: Sequence[str]) -> dict[str, int]:
    """Give each name a free port, the one that the JSON file `path` remembers where that is still free."""
    known = _read(path)
    taken = set(known.values())
    for name in names:
        if name not in known or not is_free(known[name]):
            known[name] = _pick(taken)
            taken.add(known[name])
    path.write_text(json.dumps(known, indent=2, sort_keys=True) + "\n")
    return {name: known[name] for name in names}


def _pick(taken: set[int]) -> int:
    for port in random.sample(CANDIDATES, _ATTEMPTS):
        if port not in taken and is_free(port):
            return port
    raise StackError(f"No free port found on {LOOPBACK} between {CANDIDATES.start} and {CANDIDATES.stop}.")


def _read(path: Path) -> dict[str, int]:
    """Return what was remembered; a damaged file is worth no more than a missing one."""
    try:
        known = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return {str(name): int(port) for name, port in known.items()}
