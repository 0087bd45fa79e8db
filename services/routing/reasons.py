"""Why a text was judged as it was: the signals and words that spoke loudest, and where they stand."""

import itertools
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from services.routing import outputs
from services.routing.calibration import Floats
from services.routing.features import Features
from services.routing.judgement import Evidence, Text
from services.routing.linear import Linear
from services.routing.ngrams import column_of
from services.routing.weights import Weights

MAX_SIGNALS = 2
MAX_WORDS = 3
_LEAST_CONTRIBUTION = 0.02
_LONGEST_SHOWN = 30
_LONGEST_SEARCHED = 4_000


class Reasoner:
    """Ranks the contributions of signals and of single words to the linear scores."""

    def __init__(self, weights: Weights, linear: Linear) -> None:
        self._weights = weights
        centred = weights.signal_weights - weights.signal_weights.mean(axis=1, keepdims=True)
        self._signal_weights = np.ascontiguousarray(centred.T) * weights.signal_scale
        self._signal_names = [f"signal:{name}" for name in weights.signal_names.tolist()]
        self._linear = linear

    def explain(
        self, features: Features, signals: NDArray[np.int64], kinds: NDArray[np.int64]
    ) -> list[tuple[str, ...]]:
        """At most five reasons for each text's kind, strongest first within signals and within words."""
        spoken = self._words(features, kinds)
        return [signal + word for signal, word in zip(self._signals(signals, kinds), spoken, strict=True)]

    def evidence(
        self, features: Features, texts: Sequence[Text], reasons: Sequence[tuple[str, ...]], details: Floats
    ) -> list[tuple[Evidence, ...]]:
        """The reasons of the category with their places, and the loudest word for each detail that is said."""
        folded = [text.text[:_LONGEST_SEARCHED].lower() for text in texts]
        found = [
            [_placed("category", reason, text) for reason in why] for text, why in zip(folded, reasons, strict=True)
        ]
        loudest = list(self._loudest(features, details))
        words = features.words.spell(np.array([word for _, _, word in loudest], dtype=np.int64))
        for (number, output, _), word in zip(loudest, words, strict=True):
            found[number].append(_placed(output, f"word:{word[:_LONGEST_SHOWN]}", folded[number]))
        return [tuple(each) for each in found]

    def _loudest(self, features: Features, details: Floats) -> Iterator[tuple[int, str, int]]:
        """Text, output and word, for each detail that is said and that some word spoke for."""
        bounds = np.searchsorted(features.words.text, np.arange(len(details) + 1)).tolist()
        rows = self._linear.detail_table.rows(column_of(features.word_hashes))
        for number, (first, last) in enumerate(itertools.pairwise(bounds)):
            for column, output in said(details[number]) if last > first else ():
                word = first + int(rows[first:last, column].argmax())
                if rows[word, column] > 0:
                    yield number, output, word

    def _signals(self, signals: NDArray[np.int64], kinds: NDArray[np.int64]) -> list[tuple[str, ...]]:
        contributions = signals * self._signal_weights[kinds]
        top = np.argsort(-contributions, axis=1, kind="stable")[:, :MAX_SIGNALS]
        enough = np.take_along_axis(contributions, top, axis=1) >= _LEAST_CONTRIBUTION
        return [
            tuple(self._signal_names[column] for column, counts in zip(columns, row, strict=True) if counts)
            for columns, row in zip(top.tolist(), enough.tolist(), strict=True)
        ]

    def _words(self, features: Features, kinds: NDArray[np.int64]) -> list[tuple[str, ...]]:
        words = features.words
        rows = self._linear.kind_table.rows(column_of(features.word_hashes))
        own = rows[np.arange(rows.shape[0]), kinds[words.text]]
        contributions = (own - rows.mean(axis=1)) * self._weights.kind_scale
        loud = np.flatnonzero(contributions >= _LEAST_CONTRIBUTION)
        loud = loud[np.lexsort((-contributions[loud], words.text[loud]))]
        first = np.searchsorted(words.text[loud], words.text[loud], side="left")
        loud = loud[np.arange(loud.size) - first < MAX_WORDS]
        reasons: list[tuple[str, ...]] = [()] * kinds.size
        for text, word in zip(words.text[loud].tolist(), words.spell(loud), strict=True):
            reason = f"word:{word[:_LONGEST_SHOWN]}"
            if reason not in reasons[text]:
                reasons[text] += (reason,)
        return reasons


def said(details: Floats) -> Iterator[tuple[int, str]]:
    """The details that are said of a text, as columns and names: its sentiment unless neutral, and what is likely."""
    sentiment = int(details[outputs.SENTIMENT].argmax())
    if sentiment != outputs.SENTIMENTS // 2:
        yield sentiment, "sentiment"
    for column in np.flatnonzero(details[outputs.SENTIMENTS :] >= 0.0).tolist():
        yield outputs.SENTIMENTS + column, outputs.DETAILS[outputs.SENTIMENTS + column]


def _placed(output: str, feature: str, folded: str) -> Evidence:
    """Evidence with the first place of its word, where the text spells it so."""
    kind, _, word = feature.partition(":")
    start = _first_place(folded, word) if kind == "word" else None
    return Evidence(output, feature) if start is None else Evidence(output, feature, start, start + len(word))


def _first_place(folded: str, word: str) -> int | None:
    """Where a word begins that is not a part of another."""
    start = folded.find(word)
    while start >= 0:
        end = start + len(word)
        if not (folded[start - 1 : start].isalnum() or folded[end : end + 1].isalnum()):
            return start
        start = folded.find(word, end)
    return None
