"""Chooses the temperature and the thresholds on scores of rows that the scoring model had not seen."""

import numpy as np
from numpy.typing import NDArray

from services.routing.calibration import Floats, choose_threshold, softmax

MAX_RISK = 0.15
"""Share of wrong routes among those assigned that the thresholds aim at, on held-out text."""

THRESHOLD_FLOOR = 0.4
_TEMPERATURES = np.geomspace(0.2, 5.0, 120)


def calibrate(
    scores: Floats,
    labels: NDArray[np.str_],
    weights: Floats,
    classes: NDArray[np.str_],
    mixed: NDArray[np.bool_],
) -> tuple[Floats, Floats]:
    """The calibration rows and the thresholds of `Weights`.

    The temperature comes from all rows. The thresholds come from the `mixed` ones, of a source that holds every
    category: where a set has one category, a risk-coverage curve shows the set.
    """
    truth = np.searchsorted(classes, labels)
    losses = [_loss(scores / temperature, truth, weights) for temperature in _TEMPERATURES]
    factor = 1 / _TEMPERATURES[int(np.argmin(losses))]
    probabilities = softmax(scores * factor)
    calibration = np.stack([np.full(classes.size, factor), np.zeros(classes.size)])
    return calibration, _thresholds(probabilities[mixed], truth[mixed], weights[mixed])


def _loss(scores: Floats, truth: NDArray[np.int64], weights: Floats) -> float:
    likelihood = softmax(scores)[np.arange(truth.size), truth]
    return float(-(weights * np.log(np.maximum(likelihood, 1e-12))).sum() / weights.sum())


def _thresholds(probabilities: Floats, truth: NDArray[np.int64], weights: Floats) -> Floats:
    """One for each category, over the rows that would be given that category."""
    likeliest = probabilities.argmax(axis=1)
    thresholds = []
    for category in range(probabilities.shape[1]):
        given = likeliest == category
        confidence, correct = probabilities[given, category], truth[given] == category
        threshold = choose_threshold(confidence, correct, weights[given], max_risk=MAX_RISK, floor=THRESHOLD_FLOOR)
        thresholds.append(threshold)
    return np.array(thresholds)
