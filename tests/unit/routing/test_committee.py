"""What the teacher and both stages of the shipped weights say of a text together."""

import numpy as np
import pytest
from numpy.typing import NDArray

from services.routing.calibration import Floats, softmax
from services.routing.classifier import WEIGHTS_PATH
from services.routing.judgement import Kind, Text
from services.routing.model.committee import agreed
from services.routing.outputs import DETAILS, KINDS
from services.routing.weights import Weights

TEXTS = [Text("my parcel never came and nobody answers"), Text("what time do you open on Sunday?")]
WEIGHTS = Weights.load(WEIGHTS_PATH)


def said(*kinds: Kind | None, how_surely: float = 3.0) -> NDArray[np.float32]:
    scores = np.full((len(kinds), len(KINDS) + len(DETAILS)), 0.25, np.float32)
    for row, kind in enumerate(kinds):
        if kind:
            scores[row, KINDS.index(kind)] += how_surely
    return scores


def of_spam(scores: NDArray[np.float32]) -> Floats:
    together = agreed(scores, TEXTS, WEIGHTS)[:, : len(KINDS)]
    return softmax(together.astype(np.float64))[:, KINDS.index(Kind.SPAM)]


@pytest.mark.slow
def test_where_the_teacher_says_nothing_the_stages_decide() -> None:
    together = agreed(said(None, None), TEXTS, WEIGHTS)

    likeliest = together[:, : len(KINDS)].argmax(axis=1)
    assert [KINDS[kind] for kind in likeliest] == [Kind.SERVICE_PROBLEM, Kind.INFORMATION_REQUEST]
    assert (together[:, len(KINDS) :] == 0.25).all()


@pytest.mark.slow
def test_a_teacher_who_is_alone_and_not_sure_is_heard_and_does_not_decide() -> None:
    alone, unheard = of_spam(said(Kind.SPAM, Kind.SPAM)), of_spam(said(None, None))

    assert (alone > 2 * unheard).all()
    assert (alone < 0.5).all()


@pytest.mark.slow
def test_a_teacher_who_is_sure_decides_against_stages_that_are_not() -> None:
    unsure = [Text("the red one"), Text("hm")]

    together = agreed(said(Kind.OPINION, Kind.OPINION, how_surely=12.0), unsure, WEIGHTS)

    assert [KINDS[kind] for kind in together[:, : len(KINDS)].argmax(axis=1)] == [Kind.OPINION] * 2
