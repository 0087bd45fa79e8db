"""Learns the mixes of streams from posts that were heard: nobody has to say what they are."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

import numpy as np

from services.routing.calibration import Floats
from services.routing.classifier import Cascade
from services.routing.judgement import Category, Mix, Text
from services.routing.mix import LEAST_POSTS, Stream, learnt, stream_of

BATCH_POSTS: Final = 500


class Learnt(NamedTuple):
    """What some posts of a stream teach."""

    posts: int
    mix: Mix | None
    """None from fewer than `LEAST_POSTS`."""


def learn(classifier: Cascade, texts: Iterable[Text]) -> dict[Stream, Learnt]:
    """The mix of each stream, in order."""
    streams: dict[Stream, list[Text]] = defaultdict(list)
    for text in texts:
        streams[stream_of(text)].append(text)
    return {stream: _learnt(classifier, stream, streams[stream]) for stream in sorted(streams, key=str)}


def probabilities(classifier: Cascade, texts: Sequence[Text]) -> Floats:
    """Of each category for each text, as if nothing were known of its stream."""
    alone = [replace(text, mix=None) for text in texts]
    batches = (alone[start : start + BATCH_POSTS] for start in range(0, len(alone), BATCH_POSTS))
    judged = [each for batch in batches for each in classifier.classify(batch)]
    return np.array([[each.probabilities[category] for category in Category] for each in judged])


def _learnt(classifier: Cascade, stream: Stream, texts: Sequence[Text]) -> Learnt:
    if len(texts) < LEAST_POSTS:
        return Learnt(len(texts), None)
    return Learnt(len(texts), learnt(probabilities(classifier, texts), classifier.usual(stream.venue)))
