"""The cascade as it ships, or with one of its stages alone."""

import enum
from dataclasses import replace
from typing import assert_never

import numpy as np

from services.routing.classifier import WEIGHTS_PATH, Cascade
from services.routing.weights import Weights

_NEVER = 2.0
"""No probability is so great."""


class Stages(enum.StrEnum):
    """Which stages judge."""

    CASCADE = "cascade"
    LINEAR = "linear"
    """Decides everything alone."""
    BOTH = "both"
    """Every post passes the encoder too."""


def classifier(stages: Stages) -> Cascade:
    """The shipped weights; only from which probability the linear stage decides alone may be another."""
    weights = Weights.load(WEIGHTS_PATH)
    match stages:
        case Stages.CASCADE:
            return Cascade(weights)
        case Stages.LINEAR:
            return Cascade(replace(weights, certain=np.zeros_like(weights.certain)))
        case Stages.BOTH:
            return Cascade(replace(weights, certain=np.full_like(weights.certain, _NEVER)))
    assert_never(stages)
