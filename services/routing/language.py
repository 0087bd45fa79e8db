"""Which language a text is in: a linear head on the n-grams that the category is judged by."""

from collections.abc import Sequence

import numpy as np

from services.routing.calibration import Floats, softmax
from services.routing.features import Features
from services.routing.judgement import Text
from services.routing.scoring import HashedTable
from services.routing.weights import Weights

UNKNOWN = "und"
"""The class of texts in none of the known languages (BCP 47: undetermined)."""

_FEWEST_LETTERS = 6


class LanguageHead:
    """Identifies the language of each text of a batch, or abstains."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        self._table = HashedTable(weights.language_table)

    def identify(self, features: Features, texts: Sequence[Text]) -> list[str | None]:
        """The network's word for it where it gave one; else the likeliest; None if unsure or too little text."""
        probabilities = self.probabilities(features)
        best = probabilities.argmax(axis=1)
        sure = probabilities.max(axis=1) >= self._weights.language_threshold
        letters = np.bincount(features.words.text, np.diff(features.words.starts), minlength=len(texts))
        guesses = np.where(sure & (letters >= _FEWEST_LETTERS), self._weights.languages[best], UNKNOWN).tolist()
        return [
            _primary_subtag(text.language) or (None if guess == UNKNOWN else guess)
            for text, guess in zip(texts, guesses, strict=True)
        ]

    def probabilities(self, features: Features) -> Floats:
        """Probability of each language, a row for each text."""
        scores = self._weights.language_bias
        for group in features.groups:
            scores = scores + self._table.sums(group) * (self._weights.language_scale / group.norms[:, None])
        return softmax(scores)


def _primary_subtag(tag: str | None) -> str | None:
    if not tag:
        return None
    subtag = tag.replace("_", "-").split("-")[0].strip().lower()
    known = subtag.isascii() and subtag.isalpha() and subtag != UNKNOWN and len(subtag) in (2, 3)
    return subtag if known else None
