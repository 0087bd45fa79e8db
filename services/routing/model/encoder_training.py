"""Trains the second stage: the encoder of `services.routing.encoder`, written once more for JAX, which derives it.

One thread, no clock, every random draw from one seed: the same rows give the same weights on the same kind of machine.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import jax
import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import NDArray

from services.routing.encoder import CIRCUMSTANCES, EncoderWeights, circumstances
from services.routing.judgement import Text
from services.routing.model.learning import OUTPUTS, Parameters, Targets, batches, loss_of
from services.routing.model.products import product
from services.routing.pieces import Pieces, Tokenizer, first_layers, vectors

EPOCHS: Final = 3
SEED: Final = 0
WIDTH: Final = 256
VECTOR: Final = 512
"""Of a piece, as the package has it."""

SENSES: Final = 512
HEADS: Final = 8
HIDDEN: Final = 512
_RATE, _WARM_UP, _LAST_RATE = 1e-3, 0.1, 0.02
_DECAY, _CLIP, _AVERAGE = 1e-3, 1.0, 0.998
_DROPPED_PIECES, _DROPPED_FEATURES = 0.1, 0.2
_BATCH = 64
_LENGTHS = (8, 12, 16, 24, 32, 48, 64, 96, 128, 164)
_EPSILON = 1e-5


@dataclass(frozen=True)
class Inputs:
    """What the encoder sees of the rows."""

    pieces: Pieces
    circumstances: NDArray[np.float32]


def train_encoder(texts: Sequence[Sequence[Text]], targets: Targets) -> EncoderWeights:
    """Weights from targets; `texts` holds, for each epoch, a wording of every text that they are of."""
    draw = np.random.default_rng(SEED)
    key = jax.random.PRNGKey(SEED)
    parameters = first_parameters(draw)
    average = parameters
    table, tokenizer = vectors(), Tokenizer()
    epochs, steps = len(texts), len(texts) * (len(texts[0]) // _BATCH)
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
    for epoch, own in enumerate(texts):
        inputs = inputs_of(own, tokenizer)
        losses = []
        for rows in batches(inputs.pieces.lengths, _BATCH, draw):
            batch = filled(inputs, rows, table) | targets.at(rows)
            key, drawn = jax.random.split(key)
            parameters, average, state, loss = compiled(parameters, average, state, batch, drawn)
            losses.append(loss)
        print(f"epoch {epoch + 1} of {epochs}: loss {float(np.mean(losses)):.4f}", flush=True)  # noqa: T201
    return EncoderWeights(**{name: np.asarray(value, dtype=np.float16) for name, value in average.items()})


def first_parameters(draw: np.random.Generator) -> Parameters:
    """What training begins with."""

    def normal(rows: int, columns: int, size: float) -> Any:  # noqa: ANN401
        return jnp.asarray(draw.normal(0.0, size, (rows, columns)), jnp.float32)

    zeros, ones = jnp.zeros(WIDTH), jnp.ones(WIDTH)
    return {name: jnp.asarray(value) for name, value in first_layers().items()} | {
        "sense": normal(VECTOR, SENSES, VECTOR**-0.5),
        "sense_bias": jnp.zeros(SENSES),
        "sense_projection": normal(SENSES, WIDTH, 0.01),
        "norm_gain": ones,
        "norm_shift": zeros,
        "attention": normal(WIDTH, HEADS, 0.05),
        "hidden": normal(3 * WIDTH, HIDDEN, (3 * WIDTH) ** -0.5),
        "hidden_bias": jnp.zeros(HIDDEN),
        "circumstances": normal(len(CIRCUMSTANCES), HIDDEN, 0.05),
        "deep": normal(HIDDEN, HIDDEN, HIDDEN**-0.5 / 2),
        "deep_bias": jnp.zeros(HIDDEN),
        "heads": normal(HIDDEN, OUTPUTS, 0.01),
        "heads_bias": jnp.zeros(OUTPUTS),
    }


def inputs_of(texts: Sequence[Text], tokenizer: Tokenizer) -> Inputs:
    """What is seen of texts."""
    return Inputs(tokenizer([text.text for text in texts]), circumstances(texts))


def filled(inputs: Inputs, rows: NDArray[np.int64], table: NDArray[np.float32]) -> dict[str, NDArray[Any]]:
    """What the encoder is given for some rows, padded to one of a few lengths."""
    pieces = inputs.pieces
    length = next(size for size in _LENGTHS if size >= pieces.lengths[rows].max())
    at = np.arange(length)
    inside = at < pieces.lengths[rows][:, None]
    ids = pieces.ids[np.where(inside, pieces.starts[rows][:, None] + at, 0)]
    vectors = table[ids] * inside[..., None]
    return {"vectors": vectors, "circumstances": inputs.circumstances[rows], "inside": inside.astype(np.float32)}


def _normal(rows: Any) -> Any:  # noqa: ANN401
    centred = rows - rows.mean(-1, keepdims=True)
    return centred * jax.lax.rsqrt((centred**2).mean(-1, keepdims=True) + _EPSILON)


def scores_of(p: Parameters, batch: Any, vectors: Any, kept: Any = 1.0) -> Any:  # noqa: ANN401
    """What `services.routing.encoder` makes of a batch; `kept` is multiplied with the hidden features."""
    inside = batch["inside"]
    mask = inside[..., None]
    rows = vectors.reshape(-1, VECTOR)
    senses = jax.nn.relu(product(_normal(rows), p["sense"]) + p["sense_bias"])
    projected = product(rows, p["projection"]) + product(senses, p["sense_projection"]) + p["projection_bias"]
    projected = _normal(projected) * p["projection_gain"] + p["projection_shift"]
    projected = projected * mask.reshape(-1, 1)
    around = product(projected, p["convolution"]).reshape(*inside.shape, -1)
    projected = projected.reshape(*inside.shape, -1)
    before = jnp.pad(around[:, :-1, :WIDTH], ((0, 0), (1, 0), (0, 0)))
    after = jnp.pad(around[:, 1:, 2 * WIDTH :], ((0, 0), (0, 1), (0, 0)))
    mixed = jax.nn.relu(around[..., WIDTH : 2 * WIDTH] + before + after + p["convolution_bias"]) + projected
    features = _normal(mixed) * p["norm_gain"] + p["norm_shift"]
    sums = (features * mask).sum(1) / jnp.sqrt(inside.sum(1))[:, None] / 2
    looks = product(features.reshape(-1, WIDTH), p["attention"]).reshape(*inside.shape, HEADS)
    shares = jax.nn.softmax(jnp.where(mask > 0, looks, -1e9), 1)
    attended = (features.reshape(*inside.shape, HEADS, -1) * shares[..., None]).sum(1).reshape(sums.shape)
    pooled = jnp.concatenate((sums, jnp.where(mask > 0, features, -1e9).max(1), attended), -1)
    hidden = jax.nn.relu(pooled @ p["hidden"] + batch["circumstances"] @ p["circumstances"] + p["hidden_bias"])
    hidden = hidden * kept
    hidden = hidden + jax.nn.relu(hidden @ p["deep"] + p["deep_bias"])
    return hidden @ p["heads"] + p["heads_bias"]


def _loss(p: Parameters, batch: Any, key: Any) -> Any:  # noqa: ANN401
    for_pieces, for_features = jax.random.split(key)
    kept = jax.random.bernoulli(for_pieces, 1 - _DROPPED_PIECES, batch["inside"].shape)
    features = jax.random.bernoulli(for_features, 1 - _DROPPED_FEATURES, (kept.shape[0], HIDDEN))
    vectors = batch["vectors"] * kept[..., None]
    return loss_of(scores_of(p, batch, vectors, features / (1 - _DROPPED_FEATURES)), batch)
