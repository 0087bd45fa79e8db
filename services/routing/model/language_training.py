"""Trains the language head on every text whose language is known, labelled or not."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse  # type: ignore[import-untyped]

from services.routing.calibration import Floats
from services.routing.lexicon import Lexicon
from services.routing.model.datasets import LABELS, Row
from services.routing.model.fitting import fit, quantise
from services.routing.model.matrix import matrix_of
from services.routing.ngrams import TABLE_SIZE

LANGUAGE_ROWS = 1 << 16
THRESHOLD = 0.7
"""Below this probability the language stays unknown."""

_STRENGTH = 30.0
_MAX_ROWS_PER_SOURCE_AND_LANGUAGE = 1_500


def train_languages(rows: Sequence[Row], lexicon: Lexicon) -> dict[str, Any]:
    """The language part of the weights, by field name. What people said of posts tells nothing of their language."""
    rows = _thinned([row for row in rows if row.source != LABELS])
    matrix = matrix_of([row.text for row in rows], lexicon).ngrams @ _folding()
    labels = np.array([row.language for row in rows])
    fitted = fit(matrix, labels, _balanced(labels), strength=_STRENGTH)
    table, scale = quantise(fitted.coefficients.T)
    return {
        "languages": np.array(fitted.classes, dtype=np.str_),
        "language_table": table,
        "language_scale": np.array(scale),
        "language_bias": fitted.bias,
        "language_threshold": np.array(THRESHOLD),
    }


def _thinned(rows: Sequence[Row]) -> list[Row]:
    counts: dict[tuple[str, str], int] = {}
    kept = []
    for row in rows:
        key = row.source, row.language
        counts[key] = counts.get(key, 0) + 1
        if counts[key] <= _MAX_ROWS_PER_SOURCE_AND_LANGUAGE:
            kept.append(row)
    return kept


def _folding() -> sparse.csr_matrix:
    columns = np.arange(TABLE_SIZE) // (TABLE_SIZE // LANGUAGE_ROWS)
    cells = np.ones(TABLE_SIZE), (np.arange(TABLE_SIZE), columns)
    return sparse.csr_matrix(cells, shape=(TABLE_SIZE, LANGUAGE_ROWS))


def _balanced(labels: NDArray[np.str_]) -> Floats:
    names, numbers, counts = np.unique(labels, return_inverse=True, return_counts=True)
    return np.asarray(labels.size / (names.size * counts[numbers]))
