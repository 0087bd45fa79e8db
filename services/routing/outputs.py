"""What a head of the classifier has a number for, in which column, and what the numbers mean."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.routing.calibration import Floats
from services.routing.judgement import CATEGORY_OF, Category, Kind, UrgencyReason

KINDS: Final = tuple(kind for kind in Kind if kind is not Kind.OWN)
"""One column each; a softmax over them gives the kind, and summed up the category."""
CATEGORIES: Final = tuple(Category)
SENTIMENTS: Final = 5
TOPICS: Final = (
    "delivery",
    "payment",
    "refund",
    "account",
    "quality",
    "staff",
    "support",
    "app",
    "availability",
    "price",
    "delay",
    "campaign",
    "policy",
    "privacy",
    "outage",
    "comfort",
    "cleanliness",
    "location",
    "food",
    "safety",
    "features",
)
FLAGS: Final = (*UrgencyReason, "toxicity")

DETAILS: Final = (
    *(f"sentiment/{level}" for level in range(1, SENTIMENTS + 1)),
    *(f"urgency/{reason}" for reason in UrgencyReason),
    "toxicity",
    *(f"topics/{topic}" for topic in TOPICS),
)
"""The columns beside the kinds: a softmax over the sentiments, each of the others a yes or no of its own."""

SENTIMENT: Final = slice(0, SENTIMENTS)
URGENCY: Final = slice(SENTIMENTS, SENTIMENTS + len(UrgencyReason))
TOXICITY: Final = URGENCY.stop
TOPIC: Final = slice(TOXICITY + 1, len(DETAILS))

MEMBERSHIP: Final[Floats] = np.array(
    [[float(CATEGORY_OF[kind] is category) for category in CATEGORIES] for kind in KINDS]
)
"""A row for each kind, a column for each category: probabilities of kinds times this are those of categories."""

_MEMBERS: Final = tuple(np.flatnonzero(column) for column in MEMBERSHIP.T)

MOST_TOPICS: Final = 3


def of_categories(kinds: Floats) -> Floats:
    """Probabilities of categories from those of kinds, each row by itself: a product rounds by the batch."""
    return np.stack([kinds[:, members].sum(axis=1) for members in _MEMBERS], axis=1)


def likely_kinds(kinds: Floats, categories: NDArray[np.int64]) -> list[Kind]:
    """The likeliest kind of the given category, for each row of probabilities."""
    of_category = np.where(MEMBERSHIP.T[categories] > 0, kinds, -1.0)
    return [KINDS[column] for column in of_category.argmax(axis=1).tolist()]


def sentiments(scores: Floats) -> list[int]:
    """The middle of the distribution, from 1 to 5: a far-off mistake costs more than a near one."""
    powers = np.exp(scores[:, SENTIMENT] - scores[:, SENTIMENT].max(axis=1, keepdims=True))
    below = np.cumsum(powers / powers.sum(axis=1, keepdims=True), axis=1)
    return [int(level) for level in (1 + (below < 0.5).sum(axis=1)).tolist()]  # noqa: PLR2004 - the median


def urgency_reasons(scores: Floats) -> list[tuple[UrgencyReason, ...]]:
    """The reasons that are likelier than not, in the order of the enum."""
    said = scores[:, URGENCY] >= 0.0
    return [tuple(reason for reason, yes in zip(UrgencyReason, row, strict=True) if yes) for row in said.tolist()]


def topics(scores: Floats) -> list[tuple[str, ...]]:
    """The topics that are likelier than not, likeliest first, at most three."""
    of_topics = scores[:, TOPIC]
    order = np.argsort(-of_topics, axis=1, kind="stable")[:, :MOST_TOPICS]
    said = np.take_along_axis(of_topics, order, axis=1) >= 0.0
    return [
        tuple(TOPICS[column] for column, yes in zip(columns, row, strict=True) if yes)
        for columns, row in zip(order.tolist(), said.tolist(), strict=True)
    ]


def toxicities(scores: Floats) -> list[float]:
    """Probability that a text insults or threatens."""
    return [round(value, 4) for value in (1 / (1 + np.exp(-scores[:, TOXICITY]))).tolist()]
