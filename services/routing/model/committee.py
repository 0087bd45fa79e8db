"""Several models judge a text together: each errs in its own way, so together they err less than the best of them."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.routing.calibration import Floats, softmax
from services.routing.encoder import Encoder
from services.routing.features import extract
from services.routing.judgement import Text
from services.routing.lexicon import Lexicon
from services.routing.linear import Linear
from services.routing.outputs import KINDS
from services.routing.weights import Weights

_TEACHER, _ENCODER, _LINEAR = 0.5, 0.25, 0.25
"""How much each member's word counts."""
_AT_ONCE: Final = 4_096
_LEAST: Final = 1e-6


def agreed(scores: NDArray[np.float32], texts: Sequence[Text], weights: Weights) -> NDArray[np.float32]:
    """The teacher's scores, those of the kinds being what it and both stages of the weights say together."""
    stages = _stages(texts, weights)
    kinds = _TEACHER * _logarithms(scores[:, : len(KINDS)]) + stages
    return np.concatenate((kinds.astype(np.float32), scores[:, len(KINDS) :]), axis=1)


def _stages(texts: Sequence[Text], weights: Weights) -> Floats:
    linear, encoder = Linear(weights), Encoder(weights.encoder)
    lexicon = Lexicon(weights.lexicon_keys, weights.lexicon_classes)
    said = [np.zeros((0, len(KINDS)))]
    for start in range(0, len(texts), _AT_ONCE):
        part = texts[start : start + _AT_ONCE]
        counted = linear.scores(extract(part, lexicon), len(part)).kinds
        encoded = encoder.scores(part)[:, : len(KINDS)]
        said.append(_LINEAR * _logarithms(counted) + _ENCODER * _logarithms(encoded))
    return np.concatenate(said)


def _logarithms(scores: NDArray[np.floating]) -> Floats:
    """Of the probabilities, none of them quite impossible: one member alone forbids nothing."""
    return np.asarray(np.log(softmax(scores.astype(np.float64)) + _LEAST))
