"""Trains the first stage: heads for kinds and for details on hashed n-grams and signals."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse  # type: ignore[import-untyped]

from services.routing.calibration import Floats
from services.routing.judgement import UrgencyReason
from services.routing.lexicon import Lexicon
from services.routing.model.datasets import Row
from services.routing.model.fitting import LinearFit, fit, fit_yes_no, quantise
from services.routing.model.matrix import Matrix, matrix_of
from services.routing.model.taught import Taught
from services.routing.ngrams import TABLE_SIZE
from services.routing.outputs import DETAILS, KINDS, SENTIMENTS, TOPICS
from services.routing.scoring import SIGNAL_UNITS

LESSONS = 100_000
"""So many at most: the fit grows with them."""

STRENGTH = 4.0
DETAIL_STRENGTH = 2.0
DETAIL_ROWS = 1 << 16

SIGNAL_REACH = 0.5
"""How freely a signal takes weight, beside an n-gram: it is one column that speaks in many texts."""

LEAST_KNOWN = 0.4
"""Share of a text's words that must stand in the training text: fewer, and it is another language or gibberish."""

_TEXTS_OF_ONE_ROW = 3
"""About so many texts among rows and lessons say what one row says: the row, its own lesson, a variation."""

_SIGNAL_UNIT = 1 / (1 << 16)


def train_linear(rows: Sequence[Row], weights: Floats, lexicon: Lexicon, taught: Taught) -> dict[str, Any]:
    """The linear part of the weights, by field name, but for what calibration decides."""
    matrix = matrix_of([row.text for row in rows], lexicon)
    return (
        _kinds(rows, weights, matrix, lexicon, taught.some(LESSONS))
        | _details(rows, weights, matrix)
        | {
            "signal_names": np.array(matrix.signal_names, dtype=np.str_),
            "signal_scale": np.array(_SIGNAL_UNIT / SIGNAL_UNITS),
            "vocabulary": matrix.vocabulary,
            "least_known": np.array(LEAST_KNOWN),
        }
    )


def _kinds(rows: Sequence[Row], weights: Floats, matrix: Matrix, lexicon: Lexicon, taught: Taught) -> dict[str, Any]:
    told = np.array([number for number, row in enumerate(rows) if row.kind])
    lessons = matrix_of(taught.texts, lexicon)
    ngrams = sparse.vstack([matrix.ngrams[told], lessons.ngrams])
    joined = _joined(ngrams, np.concatenate((matrix.signals[told], lessons.signals)), _TEXTS_OF_ONE_ROW + 1)
    drawn = np.array(KINDS)[taught.drawn_kinds()].astype(np.str_)
    labels = np.concatenate((np.array([str(row.kind) for row in rows])[told], drawn))
    fitted = fit(joined, labels, np.concatenate((weights[told], taught.weights())), strength=STRENGTH)
    order = [fitted.classes.tolist().index(str(kind)) for kind in KINDS]
    coefficients = fitted.coefficients[order]
    table, scale = quantise(coefficients[:, :TABLE_SIZE].T)
    return {
        "kinds": np.array([str(kind) for kind in KINDS], dtype=np.str_),
        "kind_table": table,
        "kind_scale": np.array(scale),
        "kind_bias": fitted.bias[order],
        "signal_weights": _signals(coefficients[:, TABLE_SIZE:]),
    }


def _details(rows: Sequence[Row], weights: Floats, matrix: Matrix) -> dict[str, Any]:
    joined = _joined(matrix.words @ _folding(), matrix.signals, 2)
    heads = [
        _sentiments(rows, weights, joined),
        *(_yes_no(rows, weights, joined, name) for name in DETAILS[SENTIMENTS:]),
    ]
    coefficients = np.concatenate([head.coefficients for head in heads])
    table, scale = quantise(coefficients[:, :DETAIL_ROWS].T)
    return {
        "detail_names": np.array(DETAILS, dtype=np.str_),
        "detail_table": table,
        "detail_scale": np.array(scale),
        "detail_bias": np.concatenate([head.bias for head in heads]),
        "detail_signals": _signals(coefficients[:, DETAIL_ROWS:]),
    }


def _sentiments(rows: Sequence[Row], weights: Floats, joined: sparse.csr_matrix) -> LinearFit:
    told = np.array([number for number, row in enumerate(rows) if row.sentiment])
    labels = np.array([str(row.sentiment) for row in rows])[told]
    return fit(joined[told], labels, weights[told], strength=DETAIL_STRENGTH)


def _yes_no(rows: Sequence[Row], weights: Floats, joined: sparse.csr_matrix, name: str) -> LinearFit:
    truths = [truth(row, name) for row in rows]
    told = np.array([number for number, value in enumerate(truths) if value is not None])
    labels = np.array([bool(value) for value in truths])[told]
    return fit_yes_no(joined[told], labels, weights[told], strength=DETAIL_STRENGTH)


def truth(row: Row, detail: str) -> bool | None:
    """Whether a detail other than the sentiment holds for a row; None where the row does not tell."""
    group, _, name = detail.partition("/")
    if group == "toxicity":
        return row.toxic
    if group == "urgency":
        return None if row.urgency is None else UrgencyReason(name) in row.urgency
    return None if row.topics is None else name in set(row.topics) & set(TOPICS)


def _joined(ngrams: sparse.csr_matrix, signals: NDArray[np.float64], texts: int) -> sparse.csr_matrix:
    """All features side by side, without the n-grams that fewer texts have."""
    shared = sparse.diags((ngrams.getnnz(axis=0) >= texts).astype(np.float64))
    return sparse.hstack([ngrams @ shared, sparse.csr_matrix(signals * SIGNAL_REACH)]).tocsr()


def _signals(coefficients: Floats) -> NDArray[np.int64]:
    return np.rint(coefficients.T * SIGNAL_REACH / _SIGNAL_UNIT).astype(np.int64)


def _folding() -> sparse.csr_matrix:
    columns = np.arange(TABLE_SIZE) // (TABLE_SIZE // DETAIL_ROWS)
    cells = np.ones(TABLE_SIZE), (np.arange(TABLE_SIZE), columns)
    return sparse.csr_matrix(cells, shape=(TABLE_SIZE, DETAIL_ROWS))
