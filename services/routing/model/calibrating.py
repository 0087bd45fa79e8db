"""Chooses on held-out rows how the stages' scores are blended, and from which probability each may decide."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize  # type: ignore[import-untyped]

from services.routing.calibration import Floats, choose_threshold, softmax
from services.routing.classifier import biased
from services.routing.outputs import CATEGORIES, of_categories

CERTAIN_RISK = 0.03
"""Share of wrong routes among those that the linear stage decides alone."""

STRANGENESS = 0.9
"""Scores are made so much less sharp than held-out rows want: posts are less like the corpus than those (ADR 27)."""

MAX_RISK = 0.15
"""Share of wrong routes among those assigned, both stages together."""

THRESHOLD_FLOOR = 0.4
_CERTAIN_FLOOR = 0.6


@dataclass(frozen=True)
class HeldOut:
    """Scores of rows that neither stage was trained on."""

    linear: Floats
    encoded: Floats
    truth: NDArray[np.int64]
    """The column of each row's category."""
    weights: Floats
    mixed: NDArray[np.bool_]
    """Rows of a source that holds every category: where a set has one, a risk-coverage curve shows the set."""


def calibrate(held_out: HeldOut) -> dict[str, Floats]:
    """The fields of `Weights` that calibration decides."""
    sharpness = _least_loss(lambda x: of_categories(softmax(held_out.linear * x[0])), [1.0], held_out) * STRANGENESS
    alone = of_categories(softmax(held_out.linear * sharpness))
    blended = _least_loss(lambda x: _blended(held_out, x), [0.3, 0.7, *[0.0] * len(CATEGORIES)], held_out) * STRANGENESS
    together = _blended(held_out, blended)
    return {
        "sharpness": sharpness,
        "certain": _thresholds(alone, held_out, CERTAIN_RISK, _CERTAIN_FLOOR),
        "blend": blended[:2],
        "category_bias": blended[2:] - blended[2:].mean(),
        "thresholds": _thresholds(together, held_out, MAX_RISK, THRESHOLD_FLOOR),
    }


def _blended(held_out: HeldOut, x: Floats) -> Floats:
    kinds = softmax(held_out.linear * x[0] + held_out.encoded * x[1])
    return biased(of_categories(kinds), x[2:])


def _least_loss(probabilities: Callable[[Floats], Floats], start: list[float], held_out: HeldOut) -> Floats:
    def loss(x: Floats) -> float:
        likelihood = probabilities(x)[np.arange(held_out.truth.size), held_out.truth]
        logarithms = np.log(np.maximum(likelihood, 1e-12))
        return float(-(held_out.weights * logarithms).sum() / held_out.weights.sum())

    return np.asarray(minimize(loss, np.array(start), method="Nelder-Mead", options={"maxiter": 2_000}).x)


def _thresholds(probabilities: Floats, held_out: HeldOut, max_risk: float, floor: float) -> Floats:
    """One for each category, over the rows that would be given that category."""
    likeliest = probabilities.argmax(axis=1)
    thresholds = []
    for category in range(len(CATEGORIES)):
        given = (likeliest == category) & held_out.mixed
        confidence, correct = probabilities[given, category], held_out.truth[given] == category
        weights = held_out.weights[given]
        thresholds.append(choose_threshold(confidence, correct, weights, max_risk=max_risk, floor=floor))
    return np.array(thresholds)
