"""From posts to classified posts: pure, vectorised over a batch, deterministic in its ids.

The same post, classified by the same model, with the same mix and human label, gives the same event id, so whoever
receives it twice recognises it.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Final, Protocol, TypeAlias

from ascolto.classification.v1 import classification_pb2 as pb
from ascolto.posts.v1 import post_pb2 as posts
from chassis.messages import Outgoing
from contracts import identity
from contracts.codec import Event, Metadata, encode
from services.routing.corrections import Handle, no_rules
from services.routing.judgement import Category, Evidence, Judgement, Kind, Mix, Stage, Text, UrgencyReason
from services.routing.labels import Label, labelled
from services.routing.mix import Stream, stream_of
from services.routing.routes import route
from services.routing.venues import Venue, venue_named

SOURCE: Final = "/ascolto/routing"
RULES: Final = "rules"
"""Stands in the place of a model's id where no model was asked."""

OWN_POST: Final = "rule:own_post"
MixOf: TypeAlias = Callable[[posts.Post, Stream], Mix | None]
"""What the posts of a stream usually are, as the tenant of a post says."""
NO_LABELS: Final[Mapping[str, Label]] = MappingProxyType({})

CATEGORIES: Final = {
    Category.QUESTION: pb.CATEGORY_QUESTION,
    Category.COMPLAINT: pb.CATEGORY_COMPLAINT,
    Category.FEEDBACK: pb.CATEGORY_FEEDBACK,
    Category.OTHER: pb.CATEGORY_OTHER,
}

KINDS: Final = {kind: pb.Kind.Value(f"KIND_{kind.name}") for kind in Kind}
STAGES: Final = {stage: pb.Stage.Value(f"STAGE_{stage.name}") for stage in Stage}
URGENCY_REASONS: Final = {reason: pb.UrgencyReason.Value(f"URGENCY_REASON_{reason.name}") for reason in UrgencyReason}
LEVELS: Final = (pb.URGENCY_LEVEL_NORMAL, pb.URGENCY_LEVEL_RAISED, pb.URGENCY_LEVEL_HIGH)
"""By the number of reasons that count; safety alone is critical."""
_VENUES: Final = {
    posts.KIND_DIRECT_MESSAGE: Venue.CHAT,
    posts.KIND_CHAT: Venue.CHAT,
    posts.KIND_REVIEW: Venue.REVIEW,
    posts.KIND_EMAIL: Venue.MAIL,
}
"""Of the others the network tells."""

REACH_THAT_COUNTS: Final = 10_000
"""Followers of the author, or views of the post, from which many people see it."""


def no_mix(_post: posts.Post, _stream: Stream) -> Mix | None:
    """Say nothing of any stream."""
    return None


class Classifier(Protocol):
    """What judges texts, one call a batch."""

    model: str

    def classify(self, texts: Sequence[Text]) -> list[Judgement]:
        """One judgement per text, in order; any text gets one."""
        ...


def classify_batch(
    classifier: Classifier,
    events: Sequence[Event[posts.PostReceived]],
    labels: Mapping[str, Label] = NO_LABELS,
    handle: Handle = no_rules,
    mix_of: MixOf = no_mix,
) -> list[Outgoing]:
    """One record per event, in order, keyed as the event was; `labels` by the names of posts."""
    classifications = classify_posts(classifier, [event.message for event in events], mix_of)
    return [
        _outgoing(event, classification, labels.get(event.message.post.name), handle)
        for event, classification in zip(events, classifications, strict=True)
    ]


def classify_posts(
    classifier: Classifier, received: Sequence[posts.PostReceived], mix_of: MixOf = no_mix
) -> list[pb.Classification]:
    """What rules and the classifier, in one call, make of posts, in order."""
    rules = [rule_for(each) for each in received]
    texts = [text_of(each.post, mix_of) for each, rule in zip(received, rules, strict=True) if rule is None]
    judgements = iter(classifier.classify(texts) if texts else ())
    return [
        _ruled(rule) if rule else _judged(next(judgements), each.post)
        for each, rule in zip(received, rules, strict=True)
    ]


def rule_for(received: posts.PostReceived) -> str | None:
    """Why a post needs no model, or None where it does."""
    if received.change == posts.PostReceived.CHANGE_DELETED:
        return "rule:deleted"
    if received.post.direction == posts.DIRECTION_OWN:
        return OWN_POST
    if not received.post.utterance.text:
        return "rule:no_text"
    return None


def text_of(post: posts.Post, mix_of: MixOf = no_mix) -> Text:
    """What the classifier may know about a post."""
    utterance = post.utterance
    text = Text(
        text=utterance.text,
        language=utterance.language_hint if utterance.HasField("language_hint") else None,
        network=post.network,
        rating=post.reach.rating if post.reach.HasField("rating") else None,
        reply=post.HasField("native_parent_id"),
        venue=_VENUES.get(post.kind) or venue_named(post.network),
    )
    mix = mix_of(post, stream_of(text))
    return replace(text, mix=mix) if mix else text


def _ruled(rule: str) -> pb.Classification:
    kind = pb.KIND_OWN if rule == OWN_POST else pb.KIND_UNSPECIFIED
    return pb.Classification(category=pb.CATEGORY_OTHER, decision=pb.DECISION_RULE, reasons=[rule], kind=kind)


def _judged(judgement: Judgement, post: posts.Post) -> pb.Classification:
    return pb.Classification(
        category=CATEGORIES[judgement.category],
        decision=pb.DECISION_ABSTAINED if judgement.abstained else pb.DECISION_ASSIGNED,
        probabilities=_shares(judgement.probabilities),
        language=judgement.language,
        reasons=judgement.reasons,
        model=judgement.model,
        kind=KINDS[judgement.kind],
        sentiment=pb.Sentiment.ValueType(judgement.sentiment),
        urgency=urgency_of(judgement, post),
        topics=judgement.topics,
        toxicity=judgement.toxicity,
        stage=STAGES[judgement.stage],
        evidence=[_evidence(each) for each in judgement.evidence],
        mix=_shares(dict(zip(Category, judgement.mix, strict=True))) if judgement.mix else (),
    )


def mix_told(classification: pb.Classification) -> Mix | None:
    """The mix that a classification says it was made under."""
    shares = {each.category: each.probability for each in classification.mix}
    return Mix(*(shares[CATEGORIES[category]] for category in Category)) if len(shares) == len(Category) else None


def _shares(of_categories: Mapping[Category, float]) -> list[pb.CategoryProbability]:
    return [
        pb.CategoryProbability(category=CATEGORIES[category], probability=share)
        for category, share in of_categories.items()
    ]


def urgency_of(judgement: Judgement, post: posts.Post) -> pb.Urgency:
    """How soon somebody should look.

    How many people see it is told always and counts where something is at risk: a question is as good whoever asks it.
    """
    reasons = list(judgement.urgency)
    if UrgencyReason.SAFETY in reasons:
        level = pb.URGENCY_LEVEL_CRITICAL
    else:
        at_risk = judgement.category is Category.COMPLAINT or UrgencyReason.MONEY in reasons
        level = LEVELS[min(len(reasons) + (at_risk and _is_seen(post)), len(LEVELS) - 1)]
    told = [URGENCY_REASONS[reason] for reason in reasons]
    return pb.Urgency(level=level, reasons=[*told, pb.URGENCY_REASON_PUBLIC_REACH] if _is_seen(post) else told)


def _is_seen(post: posts.Post) -> bool:
    return max(post.reach.followers, post.reach.views) >= REACH_THAT_COUNTS


def _evidence(evidence: Evidence) -> pb.Evidence:
    return pb.Evidence(output=evidence.output, feature=evidence.feature, start=evidence.start, end=evidence.end)


def _outgoing(
    event: Event[posts.PostReceived], classification: pb.Classification, label: Label | None, handle: Handle
) -> Outgoing:
    received, metadata = event.message, event.metadata
    author = _author(classification)
    if label is not None and received.change != posts.PostReceived.CHANGE_DELETED:
        classification, author = labelled(classification, label), label.author
    message = pb.PostClassified(
        post=received.post,
        change=received.change,
        classification=classification,
        post_event_id=str(metadata.event_id),
        handling=handle(classification, received.post, metadata.time),
    )
    classified = Event(_caused_by(metadata, author), message)
    return encode(route(classification), identity.last_segment(received.post.conversation), classified)


def _author(classification: pb.Classification) -> str:
    """Who decided, as ids name it.

    A language model asked again may say otherwise, and so may any model under another mix: those are other decisions.
    """
    parts = [classification.model or RULES]
    if classification.stage == pb.STAGE_LANGUAGE_MODEL:
        parts.append(pb.Kind.Name(classification.kind))
    if classification.mix:
        parts.append(",".join(f"{each.probability:.6g}" for each in classification.mix))
    return "#".join(parts)


def _caused_by(cause: Metadata, author: str) -> Metadata:
    """Metadata of a classification; its time is the post's, so that age is measured from the acceptance."""
    return Metadata(
        event_id=identity.classification_event_id(cause.event_id, author),
        source=SOURCE,
        subject=cause.subject,
        time=cause.time,
        tenant=cause.tenant,
        correlation_id=cause.correlation_id,
        causation_id=str(cause.event_id),
    )
