"""What conditions may speak of: the post and its classification, a table of fields and where each is read."""

from collections.abc import Callable, Mapping
from typing import Any, Final, Literal, NamedTuple, TypeAlias

from ascolto.classification.v1 import classification_pb2 as pb
from ascolto.posts.v1 import post_pb2 as posts
from services.routing.outputs import TOPICS

Type = Literal["string", "int", "double", "bool", "strings"]
TEXT_MAX_CHARACTERS: Final = 10_000
"""Of a longer text conditions see the beginning, so that none of them takes long."""


class Common(NamedTuple):
    """A value that many posts have in common."""

    path: str
    """From the classification, or from the post."""
    told: Callable[[Any], Any] = lambda value: value or None
    """What conditions see of what stands there; None where the post does not have it."""


Own: TypeAlias = Callable[[pb.Classification, posts.Post], Any]
"""Reads a value that hardly two posts have in common; None where the post does not have it."""


class Field(NamedTuple):
    """One field."""

    type: Type
    read: Common | Own
    optional: bool = False
    """Whether there are posts that do not have it."""
    words: frozenset[str] = frozenset()
    """The only values that it can have, where they are a closed set."""


def _word(enum: Any, prefix: str, path: str, *, unspecified: str | None = None) -> Field:  # noqa: ANN401 - the wrapper of an enum has no public type
    """A field that is a word of an enum; `unspecified` stands for the value 0, which else counts as none."""
    words = {number: name.removeprefix(prefix).lower() for name, number in enum.items() if number}
    told = Common(path, lambda number: words.get(number, unspecified))
    return Field("string", told, optional=unspecified is None, words=frozenset(words.values()))


def _words(enum: Any, prefix: str, path: str) -> Field:  # noqa: ANN401 - as above
    """A field that is a list of words of an enum."""
    words = {number: name.removeprefix(prefix).lower() for name, number in enum.items() if number}
    told = Common(path, lambda numbers: [words[number] for number in numbers if number in words])
    return Field("strings", told, words=frozenset(words.values()))


def _reach(name: Literal["followers", "views"]) -> Field:
    def read(_: pb.Classification, post: posts.Post) -> int | None:
        if not post.HasField("reach"):
            return None
        reach = post.reach
        return int(getattr(reach, name)) if reach.HasField(name) else None

    return Field("int", read, optional=True)


def _written(value: float) -> float:
    """A number of a message as it was written there: a float has six digits, and 4.2 comes back as 4.19999980926."""
    return float(f"{value:.6g}")


def _rating(value: float) -> float | None:
    return _written(value) or None


def _probability(classification: pb.Classification, _: posts.Post) -> float | None:
    """Of the category that was decided on."""
    shares = (each.probability for each in classification.probabilities if each.category == classification.category)
    return next(map(_written, shares), None)


def _toxicity(classification: pb.Classification, _: posts.Post) -> float | None:
    return _written(classification.toxicity) if classification.HasField("toxicity") else None


def _text(_: pb.Classification, post: posts.Post) -> str:
    return post.utterance.text[:TEXT_MAX_CHARACTERS]


FIELDS: Final[Mapping[str, Mapping[str, Field]]] = {
    "post": {
        "integration": Field("string", Common("integration", str)),
        "network": Field("string", Common("network", str)),
        "kind": _word(posts.Kind, "KIND_", "kind"),
        "language": Field("string", Common("utterance.language_hint"), optional=True),
        "followers": _reach("followers"),
        "views": _reach("views"),
        "rating": Field("double", Common("reach.rating", _rating), optional=True),
        "reply": Field("bool", Common("native_parent_id", bool)),
        "text": Field("string", _text),
    },
    "classification": {
        "category": _word(pb.Category, "CATEGORY_", "category", unspecified=""),
        "kind": _word(pb.Kind, "KIND_", "kind"),
        "decision": _word(pb.Decision, "DECISION_", "decision", unspecified=""),
        "probability": Field("double", _probability, optional=True),
        "language": Field("string", Common("language"), optional=True),
        "sentiment": Field("int", Common("sentiment"), optional=True),
        "topics": Field("strings", Common("topics", list), words=frozenset(TOPICS)),
        "toxicity": Field("double", _toxicity, optional=True),
    },
    "classification.urgency": {
        "level": _word(pb.UrgencyLevel, "URGENCY_LEVEL_", "urgency.level", unspecified="normal"),
        "reasons": _words(pb.UrgencyReason, "URGENCY_REASON_", "urgency.reasons"),
    },
}
BY_NAME: Final[Mapping[str, Field]] = {
    f"{owner}.{name}": field for owner, fields in FIELDS.items() for name, field in fields.items()
}
