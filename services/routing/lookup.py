"""What the hot path asks about each batch: which of its posts a person has labelled, and who judges the others."""

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeAlias

from ascolto.posts.v1 import post_pb2 as posts
from chassis.messages import Outgoing
from chassis.postgres import Pool
from contracts.codec import Event
from services.routing.decisions import Classifier, MixOf
from services.routing.labels import Label
from services.routing.store.labels import labels_of

Batch: TypeAlias = Sequence[Event[posts.PostReceived]]
ClassifierOf: TypeAlias = Callable[[Sequence[posts.PostReceived], MixOf], Awaitable[Classifier]]
"""What classifies the posts of a batch that no person has labelled."""
Classify: TypeAlias = Callable[[Classifier, Batch, dict[str, Label], MixOf], Sequence[Outgoing]]


def heeding_labels(
    pool: Pool, classifier_of: ClassifierOf, classify: Classify, mixes: Callable[[], MixOf]
) -> Callable[[Batch], Awaitable[Callable[[Batch], Sequence[Outgoing]]]]:
    """Prepare `classify` for a batch with one query; a batch is under one edition of the mixes."""

    async def prepare(batch: Batch) -> Callable[[Batch], Sequence[Outgoing]]:
        found, mix_of = await labels_of(pool, _names(batch)), mixes()
        unlabelled = [each.message for each in batch if each.message.post.name not in found]
        classifier = await classifier_of(unlabelled, mix_of)
        return lambda events: classify(classifier, events, found, mix_of)

    return prepare


def _names(batch: Batch) -> list[str]:
    """PostgreSQL cannot be asked for a name with a NUL in it, and so holds no label of such a post."""
    return [event.message.post.name for event in batch if "\x00" not in event.message.post.name]
