"""The encoder that serves, in numpy, is the one that is trained, in JAX."""

import numpy as np
import pytest

from services.routing.encoder import Encoder, EncoderWeights
from services.routing.judgement import Text
from services.routing.model.datasets import read_corpus
from services.routing.model.encoder_training import filled, first_parameters, inputs_of, scores_of
from services.routing.model.learning import Parameters
from services.routing.pieces import Tokenizer, vectors
from services.routing.venues import Venue

TEXTS = [
    Text("still waiting", reply=True),
    Text("great job losing my bag again 👏", venue=Venue.MICROBLOG),
    Text("perché il pacco non è arrivato? " * 12),
    Text("🙂"),
]


@pytest.fixture(scope="module")
def parameters() -> Parameters:
    """None of them zero, or one."""
    draw = np.random.default_rng(11)
    return {
        name: np.asarray(value + draw.normal(0.0, 0.05, value.shape), np.float16).astype(np.float32)
        for name, value in first_parameters(draw).items()
    }


@pytest.fixture(scope="module")
def encoder(parameters: Parameters) -> Encoder:
    return Encoder(EncoderWeights(**{name: value.astype(np.float16) for name, value in parameters.items()}))


def test_training_and_serving_give_the_same_scores(parameters: Parameters, encoder: Encoder) -> None:
    batch = filled(inputs_of(TEXTS, Tokenizer()), np.arange(len(TEXTS)), vectors())

    trained, served = np.asarray(scores_of(parameters, batch, batch["vectors"])), encoder.scores(TEXTS)

    assert np.ptp(served) > 1
    assert np.abs(trained - served).max() < 0.003 * np.ptp(served)


def test_a_text_has_the_same_scores_to_the_last_bit_alone_and_beside_others(encoder: Encoder) -> None:
    texts = [row.text for row in read_corpus()[::300]]

    together = encoder.scores(texts)

    assert len(texts) > 100
    assert all((encoder.scores([text])[0] == scores).all() for text, scores in zip(texts, together, strict=True))
