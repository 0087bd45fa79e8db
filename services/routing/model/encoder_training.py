"""Trains the second stage: the encoder of `services.routing.encoder`, written once more for JAX, which derives it.

One thread, no clock, every random draw from one seed: the same rows give the same weights on the same kind of machine.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import jax
import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import NDArray

from services.routing.encoder import CIRCUMSTANCES, EncoderWeights, circumstances
from services.routing.judgement import Text
from services.routing.model.datasets import Row
from services.routing.model.learning import OUTPUTS, Parameters, Targets, batches, loss_of, targets_of
from services.routing.pieces import Pieces, Tokenizer, first_layers, vectors

EPOCHS: Final = 5
SEED: Final = 0
WIDTH: Final = 256
VECTOR: Final = 512
"""Of a piece, as the package has it."""

SENSES: Final = 512
_RATE, _WARM_UP, _LAST_RATE = 1e-3, 0.1, 0.02
_DECAY, _CLIP, _AVERAGE = 1e-3, 1.0, 0.998
_DROPPED_PIECES, _DROPPED_FEATURES = 0.15, 0.3
_BATCH = 64
_LENGTHS = (8, 12, 16, 24, 32, 48, 64, 96, 128, 164)
_EPSILON = 1e-5


@dataclass(frozen=True)
class Inputs:
    """What the encoder sees of the rows."""

    pieces: Pieces
    circumstances: NDArray[np.float32]


def train_encoder(
    rows: Sequence[Row], texts: Sequence[Sequence[Text]], weights: NDArray[np.float64], *, epochs: int = EPOCHS
) -> EncoderWeights:
    """Weights from rows; `texts` holds a wording of every row for each epoch."""
    draw = np.random.default_rng(SEED)
    key = jax.random.PRNGKey(SEED)
    parameters = _first(draw)
    average = parameters
    table, tokenizer, targets = vectors(), Tokenizer(), targets_of(rows, weights)
    steps = epochs * (len(rows) // _BATCH)
    schedule = optax.warmup_cosine_decay_schedule(0.0, _RATE, int(steps * _WARM_UP), steps, _RATE * _LAST_RATE)
    optimiser = optax.chain(optax.clip_by_global_norm(_CLIP), optax.adamw(schedule, weight_decay=_DECAY))
    state = optimiser.init(parameters)

    def step(parameters: Parameters, average: Parameters, state: Any, batch: Any, key: Any) -> Any:  # noqa: ANN401
        loss, gradient = jax.value_and_grad(_loss)(parameters, batch, key)
        updates, state = optimiser.update(gradient, state, parameters)
        parameters = optax.apply_updates(parameters, updates)
        average = jax.tree.map(lambda old, new: old * _AVERAGE + new * (1 - _AVERAGE), average, parameters)
        return parameters, average, state, loss

    compiled = jax.jit(step)
    for epoch in range(epochs):
        inputs = Inputs(tokenizer([text.text for text in texts[epoch]]), circumstances(texts[epoch]))
        losses = []
        for batch in _filled(inputs, targets, table, draw):
            key, drawn = jax.random.split(key)
            parameters, average, state, loss = compiled(parameters, average, state, batch, drawn)
            losses.append(loss)
        print(f"epoch {epoch + 1} of {epochs}: loss {float(np.mean(losses)):.4f}", flush=True)  # noqa: T201
    return EncoderWeights(**{name: np.asarray(value, dtype=np.float16) for name, value in average.items()})


def _first(draw: np.random.Generator) -> Parameters:
    def normal(rows: int, columns: int, size: float) -> Any:  # noqa: ANN401
        return jnp.asarray(draw.normal(0.0, size, (rows, columns)), jnp.float32)

    zeros, ones = jnp.zeros(WIDTH), jnp.ones(WIDTH)
    return {name: jnp.asarray(value) for name, value in first_layers().items()} | {
        "sense": normal(VECTOR, SENSES, VECTOR**-0.5),
        "sense_bias": jnp.zeros(SENSES),
        "sense_projection": normal(SENSES, WIDTH, 0.01),
        "norm_gain": ones,
        "norm_shift": zeros,
        "hidden": normal(2 * WIDTH, WIDTH, WIDTH**-0.5),
        "hidden_bias": zeros,
        "circumstances": normal(len(CIRCUMSTANCES), WIDTH, 0.05),
        "heads": normal(WIDTH, OUTPUTS, 0.01),
        "heads_bias": jnp.zeros(OUTPUTS),
    }


def _filled(
    inputs: Inputs, targets: Targets, table: NDArray[np.float32], draw: np.random.Generator
) -> Iterator[dict[str, NDArray[Any]]]:
    """Rows in a new order, those of like length together, padded to one of a few lengths."""
    pieces = inputs.pieces
    for rows in batches(pieces.lengths, _BATCH, draw):
        length = next(size for size in _LENGTHS if size >= pieces.lengths[rows].max())
        at = np.arange(length)
        inside = at < pieces.lengths[rows][:, None]
        ids = pieces.ids[np.where(inside, pieces.starts[rows][:, None] + at, 0)]
        seen = {"vectors": table[ids] * inside[..., None], "circumstances": inputs.circumstances[rows]}
        yield {**seen, "inside": inside.astype(np.float32), **targets.at(rows)}


def _normal(rows: Any) -> Any:  # noqa: ANN401
    centred = rows - rows.mean(-1, keepdims=True)
    return centred * jax.lax.rsqrt((centred**2).mean(-1, keepdims=True) + _EPSILON)


def _scores(p: Parameters, batch: Any, vectors: Any, dropout: Any) -> Any:  # noqa: ANN401
    inside = batch["inside"]
    mask = inside[..., None]
    senses = jax.nn.relu(_normal(vectors) @ p["sense"] + p["sense_bias"])
    projected = vectors @ p["projection"] + senses @ p["sense_projection"] + p["projection_bias"]
    projected = _normal(projected) * p["projection_gain"] + p["projection_shift"]
    projected = projected * mask
    around = projected @ p["convolution"]
    before = jnp.pad(around[:, :-1, :WIDTH], ((0, 0), (1, 0), (0, 0)))
    after = jnp.pad(around[:, 1:, 2 * WIDTH :], ((0, 0), (0, 1), (0, 0)))
    mixed = jax.nn.relu(around[..., WIDTH : 2 * WIDTH] + before + after + p["convolution_bias"]) + projected
    features = _normal(mixed) * p["norm_gain"] + p["norm_shift"]
    sums = (features * mask).sum(1) / jnp.sqrt(inside.sum(1))[:, None] / 2
    pooled = jnp.concatenate((sums, jnp.where(mask > 0, features, -1e9).max(1)), -1)
    hidden = jax.nn.relu(pooled @ p["hidden"] + batch["circumstances"] @ p["circumstances"] + p["hidden_bias"])
    kept = jax.random.bernoulli(dropout, 1 - _DROPPED_FEATURES, hidden.shape)
    return (hidden * kept / (1 - _DROPPED_FEATURES)) @ p["heads"] + p["heads_bias"]


def _loss(p: Parameters, batch: Any, key: Any) -> Any:  # noqa: ANN401
    for_pieces, for_features = jax.random.split(key)
    kept = jax.random.bernoulli(for_pieces, 1 - _DROPPED_PIECES, batch["inside"].shape)
    return loss_of(_scores(p, batch, batch["vectors"] * kept[..., None], for_features), batch)
