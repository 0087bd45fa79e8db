"""The second stage: a small convolutional sentence encoder over pieces, in numpy."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from services.routing.calibration import Floats
from services.routing.judgement import Text
from services.routing.pieces import Pieces, Tokenizer, mapped
from services.routing.venues import Venue

_EPSILON = 1e-5
_PIECES_AT_ONCE = 1_024
"""So many pieces fit the cache with their vectors."""
_ROWS_OF_A_TILE = 64
"""Products are taken of so many rows at a time, so that a text's numbers do not depend on its neighbours."""

CIRCUMSTANCES: Final = (*Venue, "reply")
"""What the encoder is told beside the words: where they stand, and whether they answer somebody."""

F32 = NDArray[np.float32]


@dataclass(frozen=True)
class EncoderWeights:
    """What training decides; the vectors of the pieces come from the vocabulary's package."""

    sense: NDArray[np.float16]
    """A hidden layer over the vector of a piece: what words have in common beyond it."""
    sense_bias: NDArray[np.float16]
    sense_projection: NDArray[np.float16]
    """Added to the projection of the vector itself."""
    projection: NDArray[np.float16]
    projection_bias: NDArray[np.float16]
    projection_gain: NDArray[np.float16]
    projection_shift: NDArray[np.float16]
    convolution: NDArray[np.float16]
    """Three matrices side by side: for the piece before, the piece, the piece after."""
    convolution_bias: NDArray[np.float16]
    norm_gain: NDArray[np.float16]
    norm_shift: NDArray[np.float16]
    attention: NDArray[np.float16]
    """A column for each head: how much a piece counts there, beside the others of its text."""
    hidden: NDArray[np.float16]
    hidden_bias: NDArray[np.float16]
    circumstances: NDArray[np.float16]
    """What each of `CIRCUMSTANCES` adds to the hidden layer."""
    deep: NDArray[np.float16]
    """A second hidden layer, added to the first."""
    deep_bias: NDArray[np.float16]
    heads: NDArray[np.float16]
    """A column for each kind, then one for each detail."""
    heads_bias: NDArray[np.float16]


class Encoder:
    """From texts to scores of kinds and details. Loading takes a second or two and 70 MB."""

    def __init__(self, weights: EncoderWeights) -> None:
        # For the whole process: products of this size gain nothing by threads, and lose much where cores are busy.
        threadpool_limits(1, user_api="blas")
        self._tokenizer = Tokenizer()
        self._table = _projected(weights)
        self._convolution = weights.convolution.astype(np.float32)
        self._convolution_bias = weights.convolution_bias.astype(np.float32)
        self._gain, self._shift = weights.norm_gain.astype(np.float32), weights.norm_shift.astype(np.float32)
        self._attention = weights.attention.astype(np.float32)
        self._hidden, self._hidden_bias = weights.hidden.astype(np.float32), weights.hidden_bias.astype(np.float32)
        self._deep, self._deep_bias = weights.deep.astype(np.float32), weights.deep_bias.astype(np.float32)
        self._circumstances = weights.circumstances.astype(np.float32)
        self._heads, self._heads_bias = weights.heads.astype(np.float32), weights.heads_bias.astype(np.float32)

    def scores(self, texts: Sequence[Text]) -> Floats:
        """A row for each text: its score for each kind and each detail."""
        pieces = self._tokenizer([text.text for text in texts])
        pooled = [self._pooled(part) for part in _parts(pieces)]
        if not pooled:
            return np.zeros((0, self._heads.shape[1]))
        hidden = _product(np.concatenate(pooled), self._hidden) + self._hidden_bias
        hidden += _product(circumstances(texts), self._circumstances)
        np.maximum(hidden, 0.0, out=hidden)
        hidden += np.maximum(_product(hidden, self._deep) + self._deep_bias, 0.0)
        scores = _product(hidden, self._heads) + self._heads_bias
        return scores.astype(np.float64)

    def _pooled(self, pieces: Pieces) -> F32:
        """For each text the sum of its pieces' features, the greatest of each, and what each head looks at."""
        inside = self._table[pieces.ids].astype(np.float32)
        width = inside.shape[1]
        around = _product(inside, self._convolution)
        mixed = around[:, width : 2 * width] + self._convolution_bias
        ends = pieces.starts + pieces.lengths - 1
        before, after = around[:-1, :width].copy(), around[1:, 2 * width :].copy()
        before[ends[:-1]] = 0.0
        after[ends[:-1]] = 0.0
        mixed[1:] += before
        mixed[:-1] += after
        np.maximum(mixed, 0.0, out=mixed)
        mixed += inside
        features = _normal(mixed)
        features *= self._gain
        features += self._shift
        root = np.sqrt(pieces.lengths.astype(np.float32))[:, None]
        sums = np.add.reduceat(features, pieces.starts, axis=0) / root / np.float32(2)
        greatest = np.maximum.reduceat(features, pieces.starts, axis=0)
        return np.concatenate((sums, greatest, self._attended(features, pieces)), axis=1)

    def _attended(self, features: F32, pieces: Pieces) -> F32:
        """For each head its part of the features, a mean in which the pieces count as much as it says."""
        shares = _shares(_product(features, self._attention), pieces)
        parts = features.reshape(shares.shape[0], shares.shape[1], -1)
        parts *= shares[:, :, None]
        return np.asarray(np.add.reduceat(features, pieces.starts, axis=0))


def circumstances(texts: Sequence[Text]) -> F32:
    """A row for each text, a column for each of `CIRCUMSTANCES`: 1 where it is known to hold."""
    told = [[*(text.venue is venue for venue in Venue), text.reply] for text in texts]
    return np.array(told, dtype=np.float32).reshape(len(texts), len(CIRCUMSTANCES))


def _projected(weights: EncoderWeights) -> NDArray[np.float16]:
    """What the first layer makes of each piece, worked out once for the whole vocabulary."""
    projection, bias = weights.projection.astype(np.float32), weights.projection_bias.astype(np.float32)
    gain, shift = weights.projection_gain.astype(np.float32), weights.projection_shift.astype(np.float32)
    sense, sense_bias = weights.sense.astype(np.float32), weights.sense_bias.astype(np.float32)
    sense_projection = weights.sense_projection.astype(np.float32)

    def layer(rows: F32) -> NDArray[np.float16]:
        senses = np.maximum(_normal(rows) @ sense + sense_bias, 0.0)
        projected = rows @ projection + senses @ sense_projection + bias
        return np.asarray(_normal(projected) * gain + shift, dtype=np.float16)

    return mapped(layer)


def _parts(pieces: Pieces) -> Iterator[Pieces]:
    """The batch in parts that fit the cache; a text is never cut."""
    first = 0
    while first < pieces.lengths.size:
        reach = pieces.starts[first] + _PIECES_AT_ONCE
        last = max(first + 1, int(np.searchsorted(pieces.starts + pieces.lengths, reach, side="right")))
        start, end = pieces.starts[first], pieces.starts[last - 1] + pieces.lengths[last - 1]
        yield Pieces(pieces.ids[start:end], pieces.starts[first:last] - start, pieces.lengths[first:last])
        first = last


def _shares(scores: F32, pieces: Pieces) -> F32:
    """Positive, and 1 over the pieces of a text."""
    scores -= np.repeat(np.maximum.reduceat(scores, pieces.starts, axis=0), pieces.lengths, axis=0)
    np.exp(scores, out=scores)
    scores /= np.repeat(np.add.reduceat(scores, pieces.starts, axis=0), pieces.lengths, axis=0)
    return scores


def _product(rows: F32, matrix: F32) -> F32:
    padded = -rows.shape[0] % _ROWS_OF_A_TILE
    whole = np.concatenate((rows, np.zeros((padded, rows.shape[1]), np.float32))) if padded else rows
    tiles = whole.reshape(-1, _ROWS_OF_A_TILE, rows.shape[1])
    return np.asarray((tiles @ matrix).reshape(whole.shape[0], -1)[: rows.shape[0]])


def _normal(rows: F32) -> F32:
    centred = rows - rows.mean(axis=1, keepdims=True)
    spread = np.einsum("ij,ij->i", centred, centred) / np.float32(rows.shape[1])
    centred *= (1 / np.sqrt(spread + np.float32(_EPSILON)))[:, None]
    return np.asarray(centred)
