"""From scores to probabilities that mean what they say, and from those to when to abstain."""

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def softmax(scores: Floats) -> Floats:
    """Probabilities of each row of scores."""
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def expected_calibration_error(confidence: Floats, correct: NDArray[np.bool_], bins: int = 10) -> float:
    """Mean distance between stated and true accuracy over bins of equal size (Nixon et al. 2019)."""
    order = np.argsort(confidence, kind="stable")
    parts = np.array_split(order, min(bins, max(order.size, 1)))
    distances = [abs(confidence[part].mean() - correct[part].mean()) * part.size for part in parts if part.size]
    return float(sum(distances) / max(order.size, 1))


def risk_coverage(confidence: Floats, correct: NDArray[np.bool_], weights: Floats) -> tuple[Floats, Floats, Floats]:
    """For each possible threshold, highest first: threshold, share of errors above it, share of rows above it."""
    order = np.argsort(-confidence, kind="stable")
    covered = np.cumsum(weights[order])
    risk = np.cumsum(weights[order] * ~correct[order]) / np.maximum(covered, 1e-12)
    return confidence[order], risk, covered / max(float(weights.sum()), 1e-12)


def choose_threshold(
    confidence: Floats, correct: NDArray[np.bool_], weights: Floats, *, max_risk: float, floor: float
) -> float:
    """The lowest threshold, not below `floor`, at which no more than `max_risk` of the covered rows are wrong."""
    thresholds, risk, _ = risk_coverage(confidence, correct, weights)
    allowed = thresholds[risk <= max_risk]
    return max(floor, float(allowed.min())) if allowed.size else 1.0
