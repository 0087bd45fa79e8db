"""The linear classifier: a whole batch of texts to judgements in a few numpy calls. Pure: no I/O but `load`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray

from services.routing.calibration import softmax
from services.routing.features import Features, extract
from services.routing.hash_index import HashIndex
from services.routing.judgement import Category, Judgement, Text
from services.routing.language import LanguageHead
from services.routing.lexicon import Lexicon
from services.routing.reasons import Reasoner
from services.routing.scoring import signal_matrix, sum_of_rows
from services.routing.weights import Weights

__all__ = ["Category", "Judgement", "LinearClassifier", "Text"]

WEIGHTS_PATH = Path(__file__).parent / "model" / "linear-1.npz"


class LinearClassifier:
    """Judges texts by hashed n-grams and cheap signals. Equal texts get equal judgements, in any batch."""

    model: str
    """`models/{id}@{version}+{content hash}`."""

    def __init__(self, weights: Weights) -> None:
        self.model = weights.model
        self._weights = weights
        self._categories = [Category(name) for name in weights.categories]
        self._lexicon = Lexicon(weights.lexicon_keys, weights.lexicon_classes)
        self._vocabulary = HashIndex(weights.vocabulary)
        self._languages = LanguageHead(weights)
        self._reasoner = Reasoner(weights)

    @classmethod
    def load(cls, path: Path | None = None) -> Self:
        """Reads the shipped weights, or those at `path`. Raises ValueError if they are of another format."""
        return cls(Weights.load(path or WEIGHTS_PATH))

    def classify(self, texts: Sequence[Text]) -> list[Judgement]:
        """One judgement for each text, in order. Any text gets one, in a time bounded by its considered part."""
        if not texts:
            return []
        features = extract(texts, self._lexicon)
        signals = signal_matrix(features, self._weights.signal_names)
        probabilities = self.probabilities(features, signals)
        likeliest = probabilities.argmax(axis=1)
        confidence = probabilities[np.arange(len(texts)), likeliest]
        unsure = confidence < self._weights.thresholds[likeliest]
        strange = self._known_share(features, len(texts)) < self._weights.least_known
        abstained = (unsure | strange).tolist()
        languages = self._languages.identify(features, texts)
        names, reasons = self._categories, self._reasoner.explain(features, signals, likeliest)
        rows = zip(likeliest.tolist(), abstained, probabilities.tolist(), languages, reasons, strict=True)
        return [
            Judgement(names[best], abstains, dict(zip(names, row, strict=True)), language, why, self.model)
            for best, abstains, row, language, why in rows
        ]

    def probabilities(self, features: Features, signals: NDArray[np.int64]) -> NDArray[np.float64]:
        """Calibrated probability of each category, a row for each text."""
        weights = self._weights
        scores = weights.category_bias + (signals @ weights.signal_weights) * weights.signal_scale
        for group in features.groups:
            sums = sum_of_rows(weights.category_table, group)
            scores = scores + sums * (weights.category_scale / group.norms[:, None])
        factors, offsets = weights.calibration
        return softmax(scores * factors + offsets)

    def _known_share(self, features: Features, texts: int) -> NDArray[np.float64]:
        """Share of each text's words that stand in the training text: of gibberish nothing can be said."""
        known, _ = self._vocabulary.find(features.word_hashes)
        counts = np.bincount(features.words.text, minlength=texts)
        return np.bincount(features.words.text[known], minlength=texts) / np.maximum(counts, 1)
