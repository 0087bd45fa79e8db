"""The features of rows as one sparse matrix, as training wants them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse  # type: ignore[import-untyped]

from services.routing.features import extract
from services.routing.judgement import Text
from services.routing.lexicon import Lexicon
from services.routing.ngrams import TABLE_SIZE, Ngrams
from services.routing.scoring import SIGNAL_UNITS, signal_matrix


@dataclass(frozen=True)
class Matrix:
    """Features of all rows: n-grams hold counts divided by the norm of their group, signals lie in 0..1."""

    ngrams: sparse.csr_matrix
    words: sparse.csr_matrix
    """Of the n-grams those of words alone."""
    signals: NDArray[np.float64]
    signal_names: tuple[str, ...]
    vocabulary: NDArray[np.uint64]
    """Sorted hashes of the words that occur."""


def matrix_of(texts: Sequence[Text], lexicon: Lexicon) -> Matrix:
    """Extracts the same features that the classifier sees; all groups fall on one table."""
    features = extract(texts, lexicon)
    names = tuple(features.signals)
    signals = signal_matrix(features, np.array(names)) / SIGNAL_UNITS
    words, characters = (_sparse(group) for group in features.groups)
    return Matrix((words + characters).tocsr(), words, signals, names, np.unique(features.word_hashes))


def _sparse(group: Ngrams) -> sparse.csr_matrix:
    values = np.repeat(1 / group.norms, np.diff(group.starts))
    matrix = sparse.csr_matrix((values, group.columns, group.starts), shape=(group.norms.size, TABLE_SIZE))
    matrix.sum_duplicates()
    return matrix
