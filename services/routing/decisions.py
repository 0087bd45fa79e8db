"""From posts to classified posts: pure, vectorised over a batch, deterministic in its ids.

Routing holds no state: the same post, classified by the same model, gives the same event id, so whoever
receives it twice recognises it.
"""

from collections.abc import Sequence
from typing import Final, Protocol

from ascolto.classification.v1 import classification_pb2 as pb
from ascolto.posts.v1 import post_pb2 as posts
from chassis.messages import Outgoing
from contracts import identity
from contracts.codec import Event, Metadata, encode
from services.routing.classifier import Category, Judgement, Text
from services.routing.routes import route

SOURCE: Final = "/ascolto/routing"
RULES: Final = "rules"
"""Stands in the place of a model's id where no model was asked."""

CATEGORIES: Final = {
    Category.QUESTION: pb.CATEGORY_QUESTION,
    Category.COMPLAINT: pb.CATEGORY_COMPLAINT,
    Category.FEEDBACK: pb.CATEGORY_FEEDBACK,
    Category.OTHER: pb.CATEGORY_OTHER,
}


class Classifier(Protocol):
    """What judges texts, one call a batch."""

    model: str

    def classify(self, texts: Sequence[Text]) -> list[Judgement]:
        """One judgement per text, in order; any text gets one."""
        ...


def classify_batch(classifier: Classifier, events: Sequence[Event[posts.PostReceived]]) -> list[Outgoing]:
    """One record per event, in order, keyed as the event was."""
    rules = [rule_for(event.message) for event in events]
    texts = [text_of(event.message.post) for event, rule in zip(events, rules, strict=True) if rule is None]
    judgements = iter(classifier.classify(texts) if texts else ())
    return [
        _outgoing(event, _ruled(rule) if rule else _judged(next(judgements)))
        for event, rule in zip(events, rules, strict=True)
    ]


def rule_for(received: posts.PostReceived) -> str | None:
    """Why a post needs no model, or None where it does."""
    if received.change == posts.PostReceived.CHANGE_DELETED:
        return "rule:deleted"
    if received.post.direction == posts.DIRECTION_OWN:
        return "rule:own_post"
    if not received.post.utterance.text:
        return "rule:no_text"
    return None


def text_of(post: posts.Post) -> Text:
    """What the classifier may know about a post."""
    utterance = post.utterance
    return Text(
        text=utterance.text,
        language=utterance.language_hint if utterance.HasField("language_hint") else None,
        network=post.network,
        rating=post.reach.rating if post.reach.HasField("rating") else None,
        reply=post.HasField("native_parent_id"),
    )


def _ruled(rule: str) -> pb.Classification:
    return pb.Classification(category=pb.CATEGORY_OTHER, decision=pb.DECISION_RULE, reasons=[rule])


def _judged(judgement: Judgement) -> pb.Classification:
    return pb.Classification(
        category=CATEGORIES[judgement.category],
        decision=pb.DECISION_ABSTAINED if judgement.abstained else pb.DECISION_ASSIGNED,
        probabilities=[
            pb.CategoryProbability(category=CATEGORIES[category], probability=probability)
            for category, probability in judgement.probabilities.items()
        ],
        language=judgement.language,
        reasons=judgement.reasons,
        model=judgement.model,
    )


def _outgoing(event: Event[posts.PostReceived], classification: pb.Classification) -> Outgoing:
    received, metadata = event.message, event.metadata
    message = pb.PostClassified(
        post=received.post,
        change=received.change,
        classification=classification,
        post_event_id=str(metadata.event_id),
    )
    classified = Event(_caused_by(metadata, classification.model or RULES), message)
    return encode(route(classification), identity.last_segment(received.post.conversation), classified)


def _caused_by(cause: Metadata, model: str) -> Metadata:
    """Metadata of a classification; its time is the post's, so that age is measured from the acceptance."""
    return Metadata(
        event_id=identity.classification_event_id(cause.event_id, model),
        source=SOURCE,
        subject=cause.subject,
        time=cause.time,
        tenant=cause.tenant,
        correlation_id=cause.correlation_id,
        causation_id=str(cause.event_id),
    )
