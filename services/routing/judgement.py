"""The values that go into the classifier and come out of it."""

import enum
from dataclasses import dataclass


class Category(enum.StrEnum):
    """What a post is; decides where it goes next."""

    QUESTION = "question"
    """Wants to know something, or asks for a thing to be done."""
    COMPLAINT = "complaint"
    """Something went wrong for the author: a fault, a wait, a bad service, a bad experience."""
    FEEDBACK = "feedback"
    """Praise, a suggestion, or an opinion of the product."""
    OTHER = "other"
    """Chatter, greetings, confirmations, spam: nothing that anyone has to act on."""


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
