"""Percentiles by rank: each is a value that really occurred. Pure."""

import math
from collections.abc import Sequence
from typing import NamedTuple


class Percentiles(NamedTuple):
    """What half, nine of ten, 99 of a hundred and all stayed within."""

    p50: float
    p90: float
    p99: float
    max: float


def percentiles(values: Sequence[float]) -> Percentiles:
    """Sum up `values`, of which there must be one at least."""
    ranked = sorted(values)
    return Percentiles(*(ranked[max(math.ceil(len(ranked) * share) - 1, 0)] for share in (0.5, 0.9, 0.99, 1.0)))
