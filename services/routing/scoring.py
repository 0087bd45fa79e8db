"""Sums of weights in whole numbers: exact, so that a score does not depend on the batch around a text."""

import numpy as np
from numpy.typing import NDArray

from services.routing.features import Features
from services.routing.ngrams import TABLE_SIZE, Ngrams

SIGNAL_UNITS = 256
"""Signals are counted in 1/256."""


def signal_matrix(features: Features, names: NDArray[np.str_]) -> NDArray[np.int64]:
    """The named signals in whole units: a row for each text, a column for each name."""
    columns = np.stack([features.signals[name] for name in names.tolist()], axis=1)
    return np.rint(columns * SIGNAL_UNITS).astype(np.int64)


class HashedTable:
    """Weights of hashed features: so many bytes a row, and a power of two of rows, at most `TABLE_SIZE`."""

    def __init__(self, table: NDArray[np.int8]) -> None:
        rows, self._width = table.shape
        # Each row fills one item of numpy's, which is moved several times faster than a row of an odd width.
        padded = np.zeros((rows, 1 << (self._width - 1).bit_length()), dtype=np.int8)
        padded[:, : self._width] = table
        self._items = padded.view(f"V{padded.shape[1]}").ravel()
        self._shift = (TABLE_SIZE // rows).bit_length() - 1

    def rows(self, columns: NDArray[np.int64]) -> NDArray[np.int8]:
        """The row of each hashed feature."""
        found = self._items.take(columns >> self._shift if self._shift else columns)
        return found.view(np.int8).reshape(columns.size, self._items.itemsize)[:, : self._width]

    def sums(self, group: Ngrams) -> NDArray[np.int64]:
        """For each text the sum of the rows that its features fall on."""
        sums = np.zeros((group.starts.size - 1, self._width), dtype=np.int64)
        filled = np.flatnonzero(np.diff(group.starts))
        if filled.size:
            rows = self.rows(group.columns)
            sums[filled] = np.add.reduceat(rows, group.starts[filled], axis=0, dtype=np.int32)
        return sums
