"""The first stage: linear scores of kinds and details from hashed n-grams and signals, a batch in a few numpy calls."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.routing.calibration import Floats
from services.routing.features import Features
from services.routing.hash_index import HashIndex
from services.routing.scoring import HashedTable, signal_matrix
from services.routing.weights import Weights


@dataclass(frozen=True, slots=True)
class LinearScores:
    """A row for each text. Equal texts get equal scores, in any batch."""

    signals: NDArray[np.int64]
    kinds: Floats
    details: Floats
    known: Floats
    """Share of each text's words that stand in the training text: of gibberish nothing can be said."""


class Linear:
    """Scores features with the trained tables."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        self._vocabulary = HashIndex(weights.vocabulary)
        self.kind_table, self.detail_table = HashedTable(weights.kind_table), HashedTable(weights.detail_table)

    def scores(self, features: Features, texts: int) -> LinearScores:
        """Scores of all texts of a batch."""
        signals = signal_matrix(features, self._weights.signal_names)
        return LinearScores(
            signals, self._kinds(features, signals), self._details(features, signals), self._known(features, texts)
        )

    def _kinds(self, features: Features, signals: NDArray[np.int64]) -> Floats:
        weights = self._weights
        scores = weights.kind_bias + (signals @ weights.signal_weights) * weights.signal_scale
        for group in features.groups:
            sums = self.kind_table.sums(group)
            scores = scores + sums * (weights.kind_scale / group.norms[:, None])
        return np.asarray(scores)

    def _details(self, features: Features, signals: NDArray[np.int64]) -> Floats:
        weights, words = self._weights, features.groups[0]
        scores = weights.detail_bias + (signals @ weights.detail_signals) * weights.signal_scale
        sums = self.detail_table.sums(words)
        return np.asarray(scores + sums * (weights.detail_scale / words.norms[:, None]))

    def _known(self, features: Features, texts: int) -> Floats:
        known, _ = self._vocabulary.find(features.word_hashes)
        counts = np.bincount(features.words.text, minlength=texts)
        return np.asarray(np.bincount(features.words.text[known], minlength=texts) / np.maximum(counts, 1))
