"""The rows that the classifier is trained and judged on, and which set may do which."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from services.routing.judgement import Text

CORPUS_DIRECTORY = Path(__file__).parent / "corpus"
CORPUS = "corpus"

SHIP_SETS = (
    "minibar_app_reviews",
    "banking77",
    "nlupp_banking",
    "clinc150_smalltalk_oos",
    "amazon_product_questions",
    "reclameaqui_pt",
    "shah_app_review_sentences",
    "vanvliet_p3_sentences",
    "chatterbot_chitchat",
    "multilingual_hatecheck",
)
"""Sets whose licence lets weights trained on them ship."""

EVALUATE_SETS = (
    "airline_tweets",
    "semeval19_suggestions",
    "absita18_it",
    "multiemotions_it",
    "sentipolc16_it",
    "ilisten_it",
    "reviewed_it_brand_comments",
    "germeval17_de",
)
"""Sets that only judge: nothing of them goes into weights, calibration or thresholds."""

_STARS = re.compile(r"\bstars=([1-5])\b")


@dataclass(frozen=True, slots=True)
class Row:
    """One labelled text."""

    source: str
    text: Text
    language: str
    label: str | None
    rating: float | None = None
    """Stars that came with the text; not in `text`, so that figures are those of the text alone."""


def read_set(directory: Path, name: str, split: str) -> list[Row]:
    """One split (`train` or `dev`) of a public set."""
    return list(_read(directory / f"{name}.{split}.jsonl", name))


def read_corpus() -> list[Row]:
    """The text written for this project."""
    return [row for path in sorted(CORPUS_DIRECTORY.glob("*.jsonl")) for row in _read(path, CORPUS)]


def _read(path: Path, source: str) -> Iterator[Row]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            text = Text(row["text"], network=row.get("network"), reply=row.get("reply", False))
            stars = _STARS.search(row.get("orig_label") or "")
            yield Row(source, text, row["lang"], row["label"], float(stars[1]) if stars else None)
