"""Finds 64-bit hashes in a fixed set of them, many at a time."""

import numpy as np
from numpy.typing import NDArray

_FILTER_SHIFT = np.uint64(48)


class HashIndex:
    """The position of each hash among sorted keys. Most misses fall on a small filter, before the search."""

    def __init__(self, keys: NDArray[np.uint64]) -> None:
        self._keys = keys
        self._plausible = np.zeros(1 << 16, dtype=np.bool_)
        self._plausible[keys >> _FILTER_SHIFT] = True

    def find(self, hashes: NDArray[np.uint64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Which of the hashes are keys (positions in `hashes`), and which keys they are (positions in the keys)."""
        candidates = np.flatnonzero(self._plausible[hashes >> _FILTER_SHIFT])
        at = np.minimum(np.searchsorted(self._keys, hashes[candidates]), self._keys.size - 1)
        hit = np.flatnonzero(self._keys[at] == hashes[candidates]) if self._keys.size else candidates[:0]
        return candidates[hit], at[hit]
