"""Trains the category head so that it learns what a text wants, not which set it came from."""

import zlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse  # type: ignore[import-untyped]

from services.routing.calibration import Floats
from services.routing.judgement import Category
from services.routing.lexicon import Lexicon
from services.routing.model.calibrating import calibrate
from services.routing.model.datasets import CORPUS, Row
from services.routing.model.fitting import LinearFit, fit, quantise
from services.routing.model.matrix import Matrix, matrix_of
from services.routing.ngrams import TABLE_SIZE
from services.routing.scoring import SIGNAL_UNITS

STRENGTH = 4.0
CORPUS_SHARE = 0.7
"""Share of each category's weight that the project's own corpus carries, where both speak."""

SIGNAL_REACH = 0.5
"""How freely a signal takes weight, beside an n-gram: it is one column that speaks in many texts."""

LEAST_KNOWN = 0.4
"""Share of a text's words that must stand in the training text: fewer, and it is another language or gibberish."""

FOLDS = 5
_UNASKED_PERCENT = 35
_UNPOINTED_PERCENT = 10
_WITH_STARS_EVERY = 4
_SIGNAL_UNIT = 1 / (1 << 16)
_UNFIT_LABELS = {("vanvliet_p3_sentences", "other"), ("nlupp_banking", "other")}


def train_categories(rows: Sequence[Row], lexicon: Lexicon) -> dict[str, Any]:
    """The category part of the weights, by field name."""
    rows = [varied(row) for row in rows if row.label and (row.source, row.label) not in _UNFIT_LABELS]
    labels = np.array([row.label for row in rows])
    sources = np.array([row.source for row in rows])
    weights = row_weights(labels, sources)
    matrix = matrix_of([row.text for row in rows], lexicon)
    joined = joined_matrix(matrix)
    fitted = fit(joined, labels, weights, strength=STRENGTH)
    held_out = cross_scores(joined, labels, weights, folds_of(rows))
    of_corpus = sources == CORPUS
    calibration, thresholds = calibrate(held_out, labels, weights, fitted.classes, of_corpus)
    return _fields(fitted, matrix) | {
        "calibration": calibration,
        "thresholds": thresholds,
        "vocabulary": matrix.vocabulary,
        "least_known": np.array(LEAST_KNOWN),
    }


def varied(row: Row) -> Row:
    """Some rows lose their punctuation, as in hasty posts, and some keep their stars: neither may be relied on."""
    draw = _draw(row) % 100
    rating = row.rating if _draw(row) // 100 % _WITH_STARS_EVERY == 0 else None
    text = row.text.text
    if draw < _UNASKED_PERCENT:
        text = text.replace("?", "").replace("¿", "")
    elif draw < _UNASKED_PERCENT + _UNPOINTED_PERCENT:
        text = text.replace(".", "").replace(",", "").replace("!", "")
    return replace(row, text=replace(row.text, text=text, rating=rating))


def _draw(row: Row) -> int:
    """A number that looks random and is the same in every run."""
    return zlib.crc32(row.text.text.encode("utf-8", "surrogatepass"))


def row_weights(labels: NDArray[np.str_], sources: NDArray[np.str_]) -> Floats:
    """Equal weight for each category; within one, the corpus has its share and the sets theirs by root of size."""
    weights = np.zeros(labels.size)
    for category in Category:
        of_category = labels == category
        names = sorted(set(sources[of_category].tolist()))
        roots = {name: float(np.sqrt(np.count_nonzero(of_category & (sources == name)))) for name in names}
        others = sum(root for name, root in roots.items() if name != CORPUS)
        for name, root in roots.items():
            rows = of_category & (sources == name)
            if CORPUS not in roots or not others:
                share = root / sum(roots.values())
            else:
                share = CORPUS_SHARE if name == CORPUS else (1 - CORPUS_SHARE) * root / others
            weights[rows] = share / np.count_nonzero(rows)
    return np.asarray(weights * labels.size / weights.sum())


def joined_matrix(matrix: Matrix) -> sparse.csr_matrix:
    """All features side by side, without the n-grams that one text alone has."""
    shared = sparse.diags((matrix.ngrams.getnnz(axis=0) > 1).astype(np.float64))
    return sparse.hstack([matrix.ngrams @ shared, sparse.csr_matrix(matrix.signals * SIGNAL_REACH)]).tocsr()


def folds_of(rows: Sequence[Row]) -> NDArray[np.int64]:
    """Whole sets are held out together, the corpus row by row: confidence must hold on text of a new kind."""
    names = sorted({row.source for row in rows} - {CORPUS})
    numbers = [_draw(row) // 100 if row.source == CORPUS else names.index(row.source) for row in rows]
    return np.array(numbers) % FOLDS


def cross_scores(
    joined: sparse.csr_matrix, labels: NDArray[np.str_], weights: Floats, folds: NDArray[np.int64]
) -> Floats:
    """Scores of each row by a model that has not seen its fold."""
    scores = np.zeros((labels.size, len(Category)))
    for fold in range(FOLDS):
        seen, unseen = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        scores[unseen] = fit(joined[seen], labels[seen], weights[seen], strength=STRENGTH).scores(joined[unseen])
    return scores


def _fields(fitted: LinearFit, matrix: Matrix) -> dict[str, Any]:
    table, scale = quantise(fitted.coefficients[:, :TABLE_SIZE].T)
    signals = fitted.coefficients[:, TABLE_SIZE:].T * SIGNAL_REACH
    return {
        "categories": np.array(fitted.classes, dtype=np.str_),
        "category_table": table,
        "category_scale": np.array(scale),
        "category_bias": fitted.bias,
        "signal_names": np.array(matrix.signal_names, dtype=np.str_),
        "signal_weights": np.rint(signals / _SIGNAL_UNIT).astype(np.int64),
        "signal_scale": np.array(_SIGNAL_UNIT / SIGNAL_UNITS),
    }
