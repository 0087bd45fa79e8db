"""Sums of weights in whole numbers: exact, so that a score does not depend on the batch around a text."""

import numpy as np
from numpy.typing import NDArray

from services.routing.features import Features
from services.routing.ngrams import Ngrams

SIGNAL_UNITS = 256
"""Signals are counted in 1/256."""


def signal_matrix(features: Features, names: NDArray[np.str_]) -> NDArray[np.int64]:
    """The named signals in whole units: a row for each text, a column for each name."""
    columns = np.stack([features.signals[name] for name in names.tolist()], axis=1)
    return np.rint(columns * SIGNAL_UNITS).astype(np.int64)


def sum_of_rows(table: NDArray[np.int8], group: Ngrams) -> NDArray[np.int64]:
    """For each text, the sum of the table's rows that its features fall on."""
    totals = np.zeros((group.columns.size + 1, table.shape[1]), dtype=np.int32)
    np.cumsum(table.take(group.columns, axis=0), axis=0, dtype=np.int32, out=totals[1:])
    return np.diff(totals.take(group.starts, axis=0), axis=0).astype(np.int64)
