"""All features of a batch of texts: what the weights of the classifier are multiplied with."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.routing.judgement import Text
from services.routing.lexicon import Lexicon
from services.routing.ngrams import Ngrams, WordHashes, character_ngrams, word_ngrams
from services.routing.signals import Columns, signals_of
from services.routing.tokens import Words, read, split


@dataclass(frozen=True, slots=True)
class Features:
    """The features of a batch; every group is bounded and finite, whatever the texts are."""

    words: Words
    word_hashes: NDArray[np.uint64]
    """Hash of each word alone."""
    groups: tuple[Ngrams, ...]
    """Word n-grams, then character n-grams."""
    signals: Columns


def extract(texts: Sequence[Text], lexicon: Lexicon) -> Features:
    """Computes the features of all texts at once; those of one text do not depend on the others."""
    characters = read([text.text for text in texts])
    words = split(characters)
    hashes = WordHashes(words)
    classes = lexicon.classes_of(hashes)
    groups = (word_ngrams(words, hashes.whole, len(texts)), character_ngrams(words, len(texts)))
    return Features(words, hashes.whole, groups, signals_of(texts, characters, words, classes))
