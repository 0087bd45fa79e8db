"""The values that go into the classifier and come out of it."""

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, NamedTuple

from services.routing.venues import Venue


class Category(enum.StrEnum):
    """What a post is; decides where it goes next."""

    QUESTION = "question"
    """Wants to know something, or asks for a thing to be done."""
    COMPLAINT = "complaint"
    """Something went wrong for the author: a fault, a wait, a bad service, a bad experience."""
    FEEDBACK = "feedback"
    """Praise, thanks, a suggestion, or an opinion of the product."""
    OTHER = "other"
    """Chatter, news, greetings, confirmations, spam: nothing that anyone has to act on."""


class Kind(enum.StrEnum):
    """What a post is, finer than its category; `CATEGORY_OF` says which category each is of."""

    INFORMATION_REQUEST = "information_request"
    SERVICE_PROBLEM = "service_problem"
    """Something went wrong for the author, or what they got does not satisfy them."""
    BUG_REPORT = "bug_report"
    """Software or a device misbehaves."""
    PRAISE = "praise"
    THANKS = "thanks"
    """Warm or public thanks for a service."""
    SUGGESTION = "suggestion"
    OPINION = "opinion"
    """Neutral or mixed, of a product."""
    CHATTER = "chatter"
    NEWS = "news"
    """Mentions the brand, addresses nobody."""
    SPAM = "spam"
    OWN = "own"
    """The brand's own post; no model says so."""


CATEGORY_OF: Final[Mapping[Kind, Category]] = MappingProxyType(
    {
        Kind.INFORMATION_REQUEST: Category.QUESTION,
        Kind.SERVICE_PROBLEM: Category.COMPLAINT,
        Kind.BUG_REPORT: Category.COMPLAINT,
        Kind.PRAISE: Category.FEEDBACK,
        Kind.THANKS: Category.FEEDBACK,
        Kind.SUGGESTION: Category.FEEDBACK,
        Kind.OPINION: Category.FEEDBACK,
        Kind.CHATTER: Category.OTHER,
        Kind.NEWS: Category.OTHER,
        Kind.SPAM: Category.OTHER,
        Kind.OWN: Category.OTHER,
    }
)


class UrgencyReason(enum.StrEnum):
    """Why somebody should look soon."""

    SAFETY = "safety"
    MONEY = "money"
    TIME_LIMIT = "time_limit"
    REPEATED_CONTACT = "repeated_contact"


class Stage(enum.StrEnum):
    """Which part of the cascade decided the category."""

    LINEAR = "linear"
    ENCODER = "encoder"
    LANGUAGE_MODEL = "language_model"


class Mix(NamedTuple):
    """Shares of the categories among the posts of a stream, in the order of `Category`; they sum to 1."""

    question: float
    complaint: float
    feedback: float
    other: float


@dataclass(frozen=True, slots=True)
class Text:
    """A text and what its caller knows about it. Any text is allowed."""

    text: str
    language: str | None = None
    """BCP 47 tag given by the network, if it gives one."""
    network: str | None = None
    rating: float | None = None
    """Stars, from 1 to 5."""
    reply: bool = False
    """Whether it answers another post."""
    venue: Venue | None = None
    """None where nobody knows."""
    mix: Mix | None = None
    """What the posts of its stream usually are, where somebody says so."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """What spoke for one of the outputs."""

    output: str
    """`category`, `kind`, `sentiment`, `urgency/<reason>`, `topics/<topic>` or `toxicity`."""
    feature: str
    """`signal:...` or `word:...`."""
    start: int | None = None
    """Where it stands in the text, in code points; None for what stands in no one place."""
    end: int | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the classifier makes of a text."""

    category: Category
    """The likeliest one, also when `abstained`."""
    abstained: bool
    """Too unsure to be trusted: a person should decide."""
    probabilities: dict[Category, float]
    """Calibrated; they sum to 1."""
    language: str | None
    """BCP 47 primary subtag, or None if unsure."""
    reasons: tuple[str, ...]
    """At most five features that spoke for the category, strongest first: `signal:...` or `word:...`."""
    model: str
    """`models/{id}@{version}+{content hash}`."""
    kind: Kind
    """Of the likeliest category."""
    sentiment: int
    """From 1, very negative, to 5, very positive."""
    urgency: tuple[UrgencyReason, ...] = ()
    topics: tuple[str, ...] = ()
    """Likeliest first."""
    toxicity: float = 0.0
    """Probability that it insults or threatens."""
    stage: Stage = Stage.LINEAR
    mix: Mix | None = None
    """What it was weighed by."""
    evidence: tuple[Evidence, ...] = ()
