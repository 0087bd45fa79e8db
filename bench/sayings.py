"""What people say in the benches: the texts of the project's own samples, as often as a bench needs them."""

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

SAMPLES: Final = Path(__file__).parents[1] / "samples" / "conversations.jsonl"


@dataclass(frozen=True, slots=True)
class Saying:
    """A text that somebody wrote."""

    text: str
    language: str | None


def saying(number: int) -> Saying:
    """The same for the same number, and no two alike."""
    found = samples()
    sample = found[number % len(found)]
    return Saying(f"{sample.text} ({number})", sample.language)


@lru_cache(maxsize=1)
def samples() -> tuple[Saying, ...]:
    """Every text of the samples that customers wrote."""
    rows = [json.loads(line) for line in SAMPLES.read_text().splitlines()]
    return tuple(Saying(row["text"], row.get("language")) for row in rows if row.get("text") and not row.get("own"))
