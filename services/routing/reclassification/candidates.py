"""What a candidate says of posts, beside what stands of them: pure."""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from ascolto.classification.v1 import classification_pb2 as pb
from ascolto.posts.v1.post_pb2 import PostReceived
from services.routing.decisions import Classifier, MixOf, classify_posts, mix_told, rule_for
from services.routing.vocabulary import CATEGORY_WORDS, DECISION_WORDS, KIND_WORDS, STAGE_WORDS

ABSTAINED: Final = DECISION_WORDS[pb.DECISION_ABSTAINED]
LANGUAGE_MODEL: Final = STAGE_WORDS[pb.STAGE_LANGUAGE_MODEL]


class Stood(NamedTuple):
    """A live post, and what stands of it; words are those of `vocabulary`."""

    post_name: str
    revision: int
    language: str
    network: str
    label: str | None
    """The category that a person says."""
    category: str
    decision: str
    kind: str
    stage: str
    payload: bytes
    """PostClassified."""


class Candidate(NamedTuple):
    """What the candidate makes of a post, in the order of the table's columns behind `run`."""

    post_name: str
    revision: int
    language: str
    network: str
    label: str | None
    was_category: str | None
    was_decision: str
    was_kind: str
    category: str
    decision: str
    kind: str
    probability: float | None
    differs: bool
    stands_by_language_model: bool
    """A language model decided, and is not asked again: that the candidate abstains is what the cascade did, too."""
    payload: bytes | None
    """Classification, where it may be promoted."""


def judge(classifier: Classifier, stood: Sequence[Stood], mix_of: MixOf | None = None) -> list[Candidate]:
    """What the classifier, in one call, makes of the posts that need one, in order.

    Where `mix_of` is None, under the mix that what stands was decided under.
    """
    messages = [(each, pb.PostClassified.FromString(each.payload)) for each in stood]
    asked = [(each, message) for each, message in messages if rule_for(_received(message)) is None]
    received = [_received(message) for _, message in asked]
    judged = classify_posts(classifier, received, mix_of or _mix_as_before(message for _, message in asked))
    return [
        _candidate(each, message.classification, found) for (each, message), found in zip(asked, judged, strict=True)
    ]


def _mix_as_before(messages: Iterable[pb.PostClassified]) -> MixOf:
    mixes = {message.post.name: mix_told(message.classification) for message in messages}
    return lambda post, _: mixes[post.name]


def _received(message: pb.PostClassified) -> PostReceived:
    return PostReceived(post=message.post, change=message.change)


def _candidate(stood: Stood, was: pb.Classification, found: pb.Classification) -> Candidate:
    says = CATEGORY_WORDS[found.category], DECISION_WORDS[found.decision], KIND_WORDS[found.kind]
    unasked = stood.label is None and stood.stage == LANGUAGE_MODEL and says[1] == ABSTAINED
    differs = stood.label is None and not unasked and says != (stood.category, stood.decision, stood.kind)
    return Candidate(
        *stood[:5],
        stood.category if stood.label is None else _likeliest(was),
        stood.decision,
        stood.kind,
        *says,
        next((each.probability for each in found.probabilities if each.category == found.category), None),
        differs,
        unasked,
        found.SerializeToString(deterministic=True) if differs else None,
    )


def _likeliest(classification: pb.Classification) -> str | None:
    """What the model thought of a post of which a person said something else."""
    found = max(classification.probabilities, key=lambda each: each.probability, default=None)
    return CATEGORY_WORDS[found.category] if found else None
