"""A batch's classifier once a language model has been asked: pure again, so that the hot path stays a pipe."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import structlog

from ascolto.posts.v1 import post_pb2 as posts
from services.routing.decisions import Classifier, MixOf, rule_for, text_of
from services.routing.judgement import Judgement, Text

_log = structlog.get_logger(__name__)


class Adviser(Protocol):
    """What is asked about the texts that the classifier is unsure of."""

    async def ask(self, texts: Sequence[Text], judgements: Sequence[Judgement]) -> list[Judgement]:
        """The judgements, in order, some of them its own; in bounded time and without raising."""
        ...


@dataclass
class Reconsidered:
    """Knows the judgements of one batch; any other text is the classifier's."""

    model: str
    classifier: Classifier
    judgements: Mapping[Text, Judgement]

    def classify(self, texts: Sequence[Text]) -> list[Judgement]:
        """One judgement per text, in order."""
        unknown = [text for text in texts if text not in self.judgements]
        judged = iter(self.classifier.classify(unknown) if unknown else ())
        return [self.judgements.get(text) or next(judged) for text in texts]


def reconsidering(
    classifier: Classifier, adviser: Adviser
) -> Callable[[Sequence[posts.PostReceived], MixOf], Awaitable[Classifier]]:
    """Answer a function from the posts of a batch to the classifier that has asked `adviser` about them."""

    async def classifier_of(received: Sequence[posts.PostReceived], mix_of: MixOf) -> Classifier:
        texts = [text_of(each.post, mix_of) for each in received if not rule_for(each)]
        return await reconsider(classifier, adviser, texts)

    return classifier_of


async def reconsider(classifier: Classifier, adviser: Adviser, texts: Sequence[Text]) -> Classifier:
    """Classify `texts` off the event loop and have `adviser` asked about those that it is unsure of.

    Where a text makes the classifier fail it is answered untouched: the pipe will find that text by itself.
    """
    if not texts:
        return classifier
    try:
        judgements = await asyncio.to_thread(classifier.classify, texts)
    except Exception as error:  # noqa: BLE001 - whatever it is, the pipe meets it again and dead-letters its cause
        _log.warning("reconsidering_skipped", error_class=type(error).__name__)
        return classifier
    return Reconsidered(
        classifier.model, classifier, dict(zip(texts, await adviser.ask(texts, judgements), strict=True))
    )
