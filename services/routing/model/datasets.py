"""The rows that the classifier is trained and judged on, and which set may do which."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from services.routing.judgement import CATEGORY_OF, Category, Kind, Text, UrgencyReason
from services.routing.venues import Venue, venue_named

CORPUS_DIRECTORY = Path(__file__).parent / "corpus"
CORPUS = "corpus"
LABELS = "labels"

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

VENUES: Mapping[str, Venue] = MappingProxyType(
    {
        "minibar_app_reviews": Venue.REVIEW,
        "shah_app_review_sentences": Venue.REVIEW,
        "vanvliet_p3_sentences": Venue.REVIEW,
        "absita18_it": Venue.REVIEW,
        "banking77": Venue.CHAT,
        "nlupp_banking": Venue.CHAT,
        "clinc150_smalltalk_oos": Venue.CHAT,
        "chatterbot_chitchat": Venue.CHAT,
        "ilisten_it": Venue.CHAT,
        "airline_tweets": Venue.MICROBLOG,
        "sentipolc16_it": Venue.MICROBLOG,
        "umsab_tweets": Venue.MICROBLOG,
        "multiemotions_it": Venue.COMMENT,
        "reviewed_it_brand_comments": Venue.COMMENT,
        "semeval19_suggestions": Venue.FORUM,
    }
)
"""Where the texts of a set stood, as its description tells; the others are of several venues, or of none of ours."""

_STARS = re.compile(r"\bstars=([1-5])\b")
_FEW_STARS, _MANY_STARS = 3, 4


@dataclass(frozen=True, slots=True)
class Row:
    """One text and what is known of it; None where its source does not tell."""

    source: str
    text: Text
    language: str
    label: str | None
    """The set's own word for the category: what a classifier is judged by."""
    rating: float | None = None
    """Stars that came with the text; not in `text`, so that figures are those of the text alone."""
    kind: Kind | None = None
    category: Category | None = None
    """What may be learnt from the row: None where the label does not mean what we mean by it."""
    sentiment: int | None = None
    urgency: tuple[UrgencyReason, ...] | None = None
    topics: tuple[str, ...] | None = None
    toxic: bool | None = None

    @property
    def is_corpus(self) -> bool:
        """Whether it was written for this project."""
        return self.source == CORPUS

    @property
    def is_public(self) -> bool:
        """Whether it is of a public set, not of the corpus or labelled by a user of Ascolto."""
        return self.source not in {CORPUS, LABELS}


def read_set(directory: Path, name: str, split: str) -> list[Row]:
    """One split (`train` or `dev`) of a public set."""
    return [_of_set(name, row) for row in _lines(directory / f"{name}.{split}.jsonl")]


def read_corpus() -> list[Row]:
    """The text written for this project."""
    paths = sorted(CORPUS_DIRECTORY.glob("*.jsonl"))
    return [_of_corpus(path.stem, row) for path in paths for row in _lines(path)]


def read_labels(path: Path) -> list[Row]:
    """What people said of posts, as `ascolto triage export` writes it."""
    return [_of_label(row) for row in _lines(path)]


def _lines(path: Path) -> Iterator[Mapping[str, Any]]:
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            yield json.loads(line)


def _of_set(name: str, row: Mapping[str, Any]) -> Row:
    native = row["orig_label"] or ""
    stars = _STARS.search(native)
    rating = float(stars[1]) if stars else None
    kind = _kind(name, native, row["label"], rating)
    return Row(
        source=name,
        text=Text(row["text"], venue=VENUES.get(name)),
        language=row["lang"],
        label=row["label"],
        rating=rating,
        kind=kind,
        category=CATEGORY_OF[kind] if kind else None,
        sentiment=int(rating) if rating else None,
        toxic=native == "hateful" if name == "multilingual_hatecheck" else None,
    )


def _kind(name: str, native: str, label: str | None, rating: float | None) -> Kind | None:
    """What a set's own label means in our words; None where it is another thing, or depends on what is not told."""
    if name == "minibar_app_reviews" and rating:
        return _kind_of_review(native, rating)
    if name == "shah_app_review_sentences":
        return {"bug_report": Kind.BUG_REPORT, "feature_request": Kind.SUGGESTION}.get(native)
    if (name, label) in {("vanvliet_p3_sentences", "other"), ("nlupp_banking", "other")}:
        return None
    kinds = {"question": Kind.INFORMATION_REQUEST, "complaint": Kind.SERVICE_PROBLEM, "other": Kind.CHATTER}
    return kinds.get(label or "")


def _kind_of_review(native: str, rating: float) -> Kind | None:
    """A reviewer's problem may come with many stars, and blame without a problem: those teach nothing clear."""
    if native.startswith("problem_report"):
        return Kind.BUG_REPORT if rating <= _FEW_STARS else None
    if native.startswith("feature_request"):
        return Kind.SUGGESTION if rating > 1 else None
    return Kind.PRAISE if native.startswith("irrelevant") and rating >= _MANY_STARS else None


def _of_label(row: Mapping[str, Any]) -> Row:
    return Row(
        source=LABELS,
        text=Text(row["text"], venue=venue_named(row["network"])),
        language=row["language"] or "und",
        label=row["category"],
        kind=Kind(row["kind"]) if row["kind"] else None,
        category=Category(row["category"]),
    )


def _of_corpus(language: str, row: Mapping[str, Any]) -> Row:
    """A line of the corpus; without a kind (other languages, nonsense) it teaches its language alone."""
    kind = Kind(row["kind"]) if "kind" in row else None
    detailed = "sentiment" in row
    return Row(
        source=CORPUS,
        text=Text(row["text"], venue=venue_named(row.get("network")), reply=row.get("reply", False)),
        language=language,
        label=CATEGORY_OF[kind] if kind else None,
        kind=kind,
        category=CATEGORY_OF[kind] if kind else None,
        sentiment=row.get("sentiment"),
        urgency=tuple(UrgencyReason(reason) for reason in row.get("urgency", ())) if detailed else None,
        topics=tuple(row.get("topics", ())) if detailed else None,
        toxic=row.get("toxic", False) if detailed else None,
    )
