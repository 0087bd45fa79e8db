"""The mix of a stream: which categories its posts usually are. Learnt without labels; judgements are weighed by it.

A classifier expects what the texts were like that it learnt from. Where a stream is otherwise, its probabilities lean
to what is rare there. How often each category comes can be learnt from the probabilities alone (Saerens, Latinne and
Decaestecker 2002), and weighs them in turn. Pure.
"""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np

from services.routing.calibration import Floats
from services.routing.judgement import Mix, Text
from services.routing.venues import Venue

LEAST_POSTS: Final = 200
"""From fewer no mix is learnt."""
USUAL_POSTS: Final = 100
"""What is usual weighs as much as so many posts of the stream: few posts do not show that a thing is rare."""
TRUST: Final = 0.7
"""The power to which a stream's difference from what is usual is raised: part of it is texts of another sort."""
_STEPS: Final = 100
_SETTLED: Final = 1e-6

PLACES: Final = (*Venue, None)
"""What is usual differs between venues: a row for each, the last one where nobody knows."""


class Stream(NamedTuple):
    """Posts that come by one network to one sort of place."""

    network: str | None = None
    venue: Venue | None = None


def stream_of(text: Text) -> Stream:
    """Which stream a text is of."""
    return Stream(text.network, text.venue)


def digest(mixes: Mapping[Stream, Mix]) -> str:
    """Tells one set of mixes from another; empty of none."""
    told = sorted(f"{stream.network}/{stream.venue}={','.join(map(repr, mix))}" for stream, mix in mixes.items())
    return hashlib.sha256("\n".join(told).encode()).hexdigest() if told else ""


def learnt(probabilities: Floats, usual: Floats) -> Mix:
    """The mix of a stream from the probabilities of its posts, not weighed by any, where `usual` was expected."""
    mix = usual
    for _ in range(_STEPS):
        before = mix
        weighed = _normal(probabilities * (mix / usual))
        mix = (weighed.sum(axis=0) + USUAL_POSTS * usual) / (len(probabilities) + USUAL_POSTS)
        if float(abs(mix - before).max()) < _SETTLED:
            break
    return Mix(*mix.tolist())


def weigh(probabilities: Floats, texts: Sequence[Text], usual: Floats) -> None:
    """Weigh, in place, what is said of the texts whose stream has a mix; `usual` has a row for each of PLACES."""
    rows = [row for row, text in enumerate(texts) if text.mix]
    if rows:
        mixes = np.array([texts[row].mix for row in rows])
        expected = usual[[PLACES.index(texts[row].venue) for row in rows]]
        probabilities[rows] = _normal(probabilities[rows] * (mixes / expected) ** TRUST)


def _normal(weights: Floats) -> Floats:
    return np.asarray(weights / weights.sum(axis=1, keepdims=True))
