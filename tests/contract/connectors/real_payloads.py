"""Real payloads of the networks, which lie outside this project, and what is known of each: ids, times, digests.

`python -m tests.contract.connectors.real_payloads NETWORK` prints what the connector makes of them, in the form of
expected/NETWORK.json. Read every value against its payload before you keep it: the file is what the test believes.
"""

import hashlib
import json
import sys
from pathlib import Path
from typing import Any, Final

from services.ingest.connector import Account, Ignored, Outcome
from services.ingest.connectors import connectors

PAYLOADS: Final = Path(__file__).parents[4] / "shared" / "fixtures"
EXPECTED: Final = Path(__file__).parent / "expected"
DIGEST_CHARACTERS: Final = 12


def payloads_of(network: str) -> list[Path]:
    """The payloads of a network, in order; none where they are not on this machine."""
    folder = PAYLOADS / network
    return sorted(each for each in folder.iterdir() if each.name != "SOURCES.md") if folder.is_dir() else []


def described(payload: Path, network: str) -> list[dict[str, Any]]:
    """What becomes of a payload, without anybody's words."""
    return [_described(each) for each in connectors()[network].normalize(payload.read_bytes(), Account())]


def _described(outcome: Outcome) -> dict[str, Any]:
    if isinstance(outcome, Ignored):
        return {"ignored": outcome.reason.name}
    found = {
        "change": outcome.change,
        "kind": outcome.kind,
        "native_id": outcome.native_id,
        "thread": outcome.native_thread_id,
        "parent": outcome.native_parent_id,
        "revision": outcome.revision,
        "own": outcome.own,
        "author": outcome.author.id if outcome.author else None,
        "named": bool(outcome.author and (outcome.author.handle or outcome.author.display_name)),
        "text": _digest(outcome.text),
        "create_time": outcome.create_time.isoformat() if outcome.create_time else None,
        "language": outcome.language,
        "permalink": outcome.permalink is not None,
        "rating": outcome.rating,
        "media": [each.kind for each in outcome.media],
        "spans": [f"{each.kind} {each.start}-{each.end}" for each in outcome.spans],
    }
    return {name: value for name, value in found.items() if value not in (None, False, [], ())}


def _digest(text: str | None) -> str | None:
    """The length in code points and the beginning of the SHA-256: enough to tell a change, and nobody's words."""
    return f"{len(text)} {hashlib.sha256(text.encode()).hexdigest()[:DIGEST_CHARACTERS]}" if text else None


def main() -> None:
    """Print the expectations of the networks that the command line names."""
    for network in sys.argv[1:]:
        found = {each.name: described(each, network) for each in payloads_of(network)}
        sys.stdout.write(json.dumps(found, indent=1, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    main()
