"""The cascade: the linear stage judges every text, the encoder those that it is unsure of. No I/O but `load`."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from services.routing import outputs
from services.routing.calibration import Floats, softmax
from services.routing.encoder import Encoder
from services.routing.features import Features, extract
from services.routing.judgement import Category, Judgement, Stage, Text
from services.routing.language import LanguageHead
from services.routing.lexicon import Lexicon
from services.routing.linear import Linear, LinearScores
from services.routing.mix import PLACES, weigh
from services.routing.reasons import Reasoner
from services.routing.venues import Venue
from services.routing.weights import Weights

__all__ = ["Cascade", "Category", "Judgement", "Text"]

WEIGHTS_PATH = Path(__file__).parent / "model" / "cascade-5.npz"


@dataclass(slots=True)
class Scores:
    """What the stages make of a batch, a row for each text."""

    kinds: Floats
    categories: Floats
    """Calibrated probabilities."""
    details: Floats
    encoded: NDArray[np.bool_]
    """Whether the encoder was asked."""


class Cascade:
    """Judges texts. Equal texts get equal judgements, in any batch."""

    model: str
    """`models/{id}@{version}+{content hash}`."""

    def __init__(self, weights: Weights) -> None:
        self.model = weights.model
        self._weights = weights
        self._lexicon = Lexicon(weights.lexicon_keys, weights.lexicon_classes)
        self._linear = Linear(weights)
        self._encoder = Encoder(weights.encoder)
        self._languages = LanguageHead(weights)
        self._reasoner = Reasoner(weights, self._linear)

    @classmethod
    def load(cls, path: Path | None = None) -> Self:
        """Reads the shipped weights, or those at `path`. Raises ValueError if they are of another format."""
        return cls(Weights.load(path or WEIGHTS_PATH))

    def usual(self, venue: Venue | None) -> Floats:
        """Share of each category that is expected at a venue, where no mix says otherwise."""
        return np.asarray(self._weights.usual[PLACES.index(venue)])

    def classify(self, texts: Sequence[Text]) -> list[Judgement]:
        """One judgement for each text, in order. Any text gets one, in a time bounded by its considered part."""
        if not texts:
            return []
        features = extract(texts, self._lexicon)
        linear = self._linear.scores(features, len(texts))
        strange = linear.known < self._weights.least_known
        scores = self._scores(texts, linear, strange)
        return self._judgements(texts, features, linear, scores, strange)

    def _scores(self, texts: Sequence[Text], linear: LinearScores, strange: NDArray[np.bool_]) -> Scores:
        """The linear stage's where it is certain, or where there is nothing to understand; else both stages'."""
        weights = self._weights
        kinds = softmax(linear.kinds * weights.sharpness)
        categories = outputs.of_categories(kinds)
        certain = categories.max(axis=1) >= weights.certain[categories.argmax(axis=1)]
        scores = Scores(kinds, categories, linear.details.copy(), ~(certain | strange))
        unsure = np.flatnonzero(scores.encoded)
        if unsure.size:
            encoded = self._encoder.scores([texts[row] for row in unsure.tolist()])
            of_kinds = encoded[:, : len(outputs.KINDS)]
            blended = softmax(linear.kinds[unsure] * weights.blend[0] + of_kinds * weights.blend[1])
            scores.kinds[unsure] = blended
            scores.categories[unsure] = biased(outputs.of_categories(blended), weights.category_bias)
            scores.details[unsure] = encoded[:, len(outputs.KINDS) :]
        weigh(scores.categories, texts, weights.usual)
        return scores

    def _judgements(
        self,
        texts: Sequence[Text],
        features: Features,
        linear: LinearScores,
        scores: Scores,
        strange: NDArray[np.bool_],
    ) -> list[Judgement]:
        likeliest = scores.categories.argmax(axis=1)
        abstained = strange | (scores.categories.max(axis=1) < self._weights.thresholds[likeliest])
        kinds = outputs.likely_kinds(scores.kinds, likeliest)
        numbers = np.array([outputs.KINDS.index(kind) for kind in kinds])
        reasons = self._reasoner.explain(features, linear.signals, numbers)
        columns: dict[str, list[Any]] = {
            "category": [outputs.CATEGORIES[best] for best in likeliest.tolist()],
            "abstained": abstained.tolist(),
            "probabilities": [dict(zip(outputs.CATEGORIES, row, strict=True)) for row in scores.categories.tolist()],
            "language": self._languages.identify(features, texts),
            "reasons": reasons,
            "model": [self.model] * len(texts),
            "kind": kinds,
            "sentiment": outputs.sentiments(scores.details),
            "urgency": outputs.urgency_reasons(scores.details),
            "topics": outputs.topics(scores.details),
            "toxicity": outputs.toxicities(scores.details),
            "mix": [text.mix for text in texts],
            "stage": [Stage.ENCODER if encoded else Stage.LINEAR for encoded in scores.encoded.tolist()],
            "evidence": self._reasoner.evidence(features, texts, reasons, scores.details),
        }
        names = tuple(columns)
        return [Judgement(**dict(zip(names, row, strict=True))) for row in zip(*columns.values(), strict=True)]


def biased(probabilities: Floats, bias: Floats) -> Floats:
    """Probabilities of categories with `bias` added to their logarithms."""
    return softmax(np.log(np.maximum(probabilities, 1e-12)) + bias)
