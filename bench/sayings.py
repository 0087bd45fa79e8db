"""What people say in the benches: held-out posts of the classifier's corpus, as often as a bench needs them."""

import hashlib
from dataclasses import dataclass
from functools import lru_cache

from services.routing.model.datasets import read_corpus
from services.routing.model.rows import held_out
from services.routing.venues import Venue


@dataclass(frozen=True, slots=True)
class Saying:
    """A text that somebody wrote."""

    text: str
    language: str
    venue: Venue | None


def saying(number: int) -> Saying:
    """The same for the same number, and no two alike."""
    found = samples()
    sample = found[number % len(found)]
    return Saying(f"{sample.text} ({number})", sample.language, sample.venue)


@lru_cache(maxsize=1)
def samples() -> tuple[Saying, ...]:
    """Posts in six languages and of every category, on which no model was trained."""
    rows = [row for row in read_corpus() if row.category and held_out(row)]
    order = sorted(rows, key=lambda row: hashlib.sha256(row.text.text.encode()).digest())
    return tuple(Saying(row.text.text, row.language, row.text.venue) for row in order)
