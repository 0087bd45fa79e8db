"""How the classifier does over time: tallies of decisions, what moved between two of them, how right it was. Pure."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from ascolto.classification.v1 import classification_pb2 as pb
from services.routing.judgement import Category

LEAST_POSTS: Final = 200
"""Below this, in either period, nothing is said to have moved."""
MOST_COVERAGE_MOVE: Final = 0.10
"""Share of posts; with `LEAST_POSTS` on both sides this is two standard errors at the least."""
MOST_PSI: Final = 0.20
"""Population stability index of the categories; by custom 0.1 is a small shift and 0.2 a large one."""
LEAST_LABELS: Final = 30
"""Below this no calibration error is told: it would be noise."""
BINS: Final = 10
"""Of confidence, of one width."""


def bin_of(confidence: float) -> int:
    """The number of the bin that a confidence falls into, from 0 on."""
    return min(int(confidence * BINS), BINS - 1)


def confidence_of(judged: pb.Classification) -> float | None:
    """How sure the classifier was of the category.

    None where a language model gave it, about which these probabilities say nothing, and where no model was asked.
    """
    if judged.stage == pb.STAGE_LANGUAGE_MODEL:
        return None
    return next((each.probability for each in judged.probabilities if each.category == judged.category), None)


@dataclass
class Bin:
    """Labelled posts of nearly one confidence."""

    posts: int = 0
    right: int = 0
    confidence: float = 0.0
    """Their sum."""


@dataclass
class Tally:
    """What the classifier made of some posts, and how much of it people confirmed."""

    posts: int = 0
    by_language_model: int = 0
    """Of them: in no confidence and in no bin."""
    answered: int = 0
    """Not left to a person."""
    confidence: float = 0.0
    """Sum of the probabilities of the categories."""
    categories: Counter[str] = field(default_factory=Counter)
    """By the likeliest one, also of what was left to a person."""
    bins: list[Bin] = field(default_factory=lambda: [Bin() for _ in range(BINS)])

    def judged(self, category: str, posts: int, *, abstained: bool, confidence: float | None) -> None:
        """Add posts of one category; `confidence` is their sum, and None where a language model decided."""
        self.posts += posts
        self.answered += 0 if abstained else posts
        self.by_language_model += posts if confidence is None else 0
        self.confidence += confidence or 0.0
        self.categories[category] += posts

    def labelled(self, confidence: float, *, right: bool) -> None:
        """Add what a person said of one post."""
        into = self.bins[bin_of(confidence)]
        into.posts += 1
        into.right += right
        into.confidence += confidence

    def add(self, other: "Tally") -> None:
        """Add the posts of another tally."""
        self.posts += other.posts
        self.by_language_model += other.by_language_model
        self.answered += other.answered
        self.confidence += other.confidence
        self.categories.update(other.categories)
        for mine, its in zip(self.bins, other.bins, strict=True):
            mine.posts += its.posts
            mine.right += its.right
            mine.confidence += its.confidence

    @property
    def coverage(self) -> float:
        """Share of the posts that were not left to a person."""
        return self.answered / self.posts if self.posts else 0.0

    @property
    def mean_confidence(self) -> float:
        """Mean probability of the category, as the classifier saw it, of what it decided itself."""
        own = self.posts - self.by_language_model
        return self.confidence / own if own else 0.0

    def share(self, category: Category) -> float:
        """Share of the posts whose likeliest category it is."""
        return self.categories[category.value] / self.posts if self.posts else 0.0

    @property
    def labels(self) -> int:
        """How many posts people labelled of those that the classifier decided itself."""
        return sum(each.posts for each in self.bins)

    @property
    def accuracy(self) -> float | None:
        """Share of the labelled posts whose likeliest category is the person's; None without labels."""
        return sum(each.right for each in self.bins) / self.labels if self.labels else None

    @property
    def calibration_error(self) -> float | None:
        """Expected calibration error over ten bins of confidence; None with fewer than `LEAST_LABELS` labels."""
        if self.labels < LEAST_LABELS:
            return None
        return sum(abs(each.right - each.confidence) for each in self.bins) / self.labels


def total(tallies: Iterable[Tally]) -> Tally:
    """All of them in one."""
    found = Tally()
    for tally in tallies:
        found.add(tally)
    return found


def stability_index(now: Mapping[str, int], before: Mapping[str, int], words: Sequence[str]) -> float:
    """Population stability index of two distributions over `words`; half a post is added to each, so none is empty."""
    shares = zip(_shares(now, words), _shares(before, words), strict=True)
    return sum((new - old) * math.log(new / old) for new, old in shares)


def _shares(counts: Mapping[str, int], words: Sequence[str]) -> list[float]:
    smoothed = [counts.get(word, 0) + 0.5 for word in words]
    return [each / sum(smoothed) for each in smoothed]


def moved(now: Tally, before: Tally) -> list[str]:
    """What moved beyond its bound against the period before, in words that name the bound."""
    if min(now.posts, before.posts) < LEAST_POSTS:
        return []
    found = []
    change = now.coverage - before.coverage
    if abs(change) > MOST_COVERAGE_MOVE:
        bound = f"more than {100 * MOST_COVERAGE_MOVE:.0f} points"
        found.append(f"coverage went from {before.coverage:.0%} to {now.coverage:.0%} ({bound})")
    index = stability_index(now.categories, before.categories, [category.value for category in Category])
    if index > MOST_PSI:
        found.append(f"the mix of categories moved: PSI {index:.2f} (more than {MOST_PSI:.1f})")
    return found
