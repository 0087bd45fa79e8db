"""Multinomial logistic regression on the matrix, and its weights as small whole numbers."""

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse  # type: ignore[import-untyped]
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from services.routing.calibration import Floats

_MAX_ITERATIONS = 300
"""Where a fit ends at the latest: to settle on a sparse table of this width may take many times as long."""
_INT8 = 127
_NEVER = -20.0


@dataclass(frozen=True)
class LinearFit:
    """One row of coefficients for each class, one column for each feature."""

    classes: NDArray[np.str_]
    coefficients: Floats
    bias: Floats

    def scores(self, matrix: sparse.csr_matrix) -> Floats:
        """One row of scores for each row of the matrix."""
        return np.asarray(matrix @ self.coefficients.T + self.bias)


def fit(matrix: sparse.csr_matrix, labels: NDArray[np.str_], weights: Floats, *, strength: float) -> LinearFit:
    """Fits on the columns that are used at all; `strength` is the inverse of the penalty."""
    used = np.flatnonzero(np.asarray(abs(matrix).sum(axis=0)).ravel())
    model = _fitted(matrix[:, used], labels, weights, strength=strength, tolerance=1e-4)
    coefficients = np.zeros((len(model.classes_), matrix.shape[1]))
    coefficients[:, used] = model.coef_
    return LinearFit(model.classes_, coefficients, model.intercept_)


def fit_yes_no(matrix: sparse.csr_matrix, labels: NDArray[np.bool_], weights: Floats, *, strength: float) -> LinearFit:
    """One row of coefficients, for yes; always no where no row says yes."""
    if not labels.any():
        return LinearFit(np.array(["True"]), np.zeros((1, matrix.shape[1])), np.array([_NEVER]))
    used = np.flatnonzero(np.asarray(abs(matrix).sum(axis=0)).ravel())
    model = _fitted(matrix[:, used], labels, weights, strength=strength, tolerance=1e-3)
    coefficients = np.zeros((1, matrix.shape[1]))
    coefficients[:, used] = model.coef_
    return LinearFit(np.array(["True"]), coefficients, model.intercept_)


def _fitted(
    matrix: sparse.csr_matrix, labels: NDArray[Any], weights: Floats, *, strength: float, tolerance: float
) -> LogisticRegression:
    model = LogisticRegression(C=strength, max_iter=_MAX_ITERATIONS, tol=tolerance)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return model.fit(matrix, labels, sample_weight=weights)


def quantise(table: Floats, *, share_kept: float = 0.9999) -> tuple[NDArray[np.int8], float]:
    """An int8 table and its scale; the few largest weights are cut, so that the many small ones stay distinct."""
    sizes = np.abs(table[table != 0])
    largest = float(np.quantile(sizes, share_kept)) if sizes.size else 1.0
    scale = largest / _INT8
    return np.clip(np.rint(table / scale), -_INT8, _INT8).astype(np.int8), scale
