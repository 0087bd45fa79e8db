"""Why a text was judged as it was: the signals and words that spoke loudest for its category."""

import numpy as np
from numpy.typing import NDArray

from services.routing.features import Features
from services.routing.ngrams import column_of
from services.routing.weights import Weights

MAX_SIGNALS = 2
MAX_WORDS = 3
_LEAST_CONTRIBUTION = 0.02
_LONGEST_SHOWN = 30


class Reasoner:
    """Ranks the contributions of signals and of single words to a category's score, against the mean of all."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        centred = weights.signal_weights - weights.signal_weights.mean(axis=1, keepdims=True)
        self._signal_weights = np.ascontiguousarray(centred.T) * weights.signal_scale
        self._signal_names = [f"signal:{name}" for name in weights.signal_names.tolist()]

    def explain(
        self, features: Features, signals: NDArray[np.int64], categories: NDArray[np.int64]
    ) -> list[tuple[str, ...]]:
        """At most five reasons for each text, strongest first within signals and within words."""
        spoken = self._words(features, categories)
        return [signal + word for signal, word in zip(self._signals(signals, categories), spoken, strict=True)]

    def _signals(self, signals: NDArray[np.int64], categories: NDArray[np.int64]) -> list[tuple[str, ...]]:
        contributions = signals * self._signal_weights[categories]
        top = np.argsort(-contributions, axis=1, kind="stable")[:, :MAX_SIGNALS]
        enough = np.take_along_axis(contributions, top, axis=1) >= _LEAST_CONTRIBUTION
        return [
            tuple(self._signal_names[column] for column, counts in zip(columns, row, strict=True) if counts)
            for columns, row in zip(top.tolist(), enough.tolist(), strict=True)
        ]

    def _words(self, features: Features, categories: NDArray[np.int64]) -> list[tuple[str, ...]]:
        words = features.words
        rows = self._weights.category_table.take(column_of(features.word_hashes), axis=0)
        own = rows[np.arange(rows.shape[0]), categories[words.text]]
        contributions = (own - rows.mean(axis=1)) * self._weights.category_scale
        loud = np.flatnonzero(contributions >= _LEAST_CONTRIBUTION)
        loud = loud[np.lexsort((-contributions[loud], words.text[loud]))]
        first = np.searchsorted(words.text[loud], words.text[loud], side="left")
        loud = loud[np.arange(loud.size) - first < MAX_WORDS]
        reasons: list[tuple[str, ...]] = [()] * categories.size
        for text, word in zip(words.text[loud].tolist(), words.spell(loud), strict=True):
            reason = f"word:{word[:_LONGEST_SHOWN]}"
            if reason not in reasons[text]:
                reasons[text] += (reason,)
        return reasons
