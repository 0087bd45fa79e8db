"""Trains the second stage: the encoder of `services.routing.encoder`, written once more for JAX, which derives it.

One thread, no clock, every random draw from one seed: the same rows give the same weights on the same kind of machine.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import jax
import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import NDArray

from services.routing.encoder import EncoderWeights
from services.routing.judgement import Kind, UrgencyReason
from services.routing.model.datasets import Row
from services.routing.outputs import CATEGORIES, DETAILS, FLAGS, KINDS, MEMBERSHIP, SENTIMENTS, TOPICS
from services.routing.pieces import Pieces, Tokenizer, first_layers, vectors

EPOCHS: Final = 8
SEED: Final = 0
WIDTH: Final = 256
_RATE, _WARM_UP, _LAST_RATE = 1e-3, 0.1, 0.02
_DECAY, _CLIP, _AVERAGE = 1e-3, 1.0, 0.998
_DROPPED_PIECES, _DROPPED_FEATURES = 0.15, 0.3
_BATCH, _BLOCK = 64, 50
_LENGTHS = (8, 12, 16, 24, 32, 48, 64, 96, 128, 164)
_SENTIMENT_WEIGHT, _DETAIL_WEIGHT, _KIND_WEIGHT = 0.5, 0.3, 0.5
_EPSILON = 1e-5

Parameters = dict[str, Any]


@dataclass(frozen=True)
class Targets:
    """What the rows say; -1 and NaN where one says nothing."""

    kind: NDArray[np.int64]
    category: NDArray[np.int64]
    sentiment: NDArray[np.int64]
    yes_no: NDArray[np.float32]
    """Urgency reasons and toxicity, then topics."""
    weight: NDArray[np.float32]

    def at(self, rows: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
        """Those of some rows, by name."""
        return {name: value[rows] for name, value in vars(self).items()}


def train_encoder(
    rows: Sequence[Row], texts: Sequence[Sequence[str]], weights: NDArray[np.float64], *, epochs: int = EPOCHS
) -> EncoderWeights:
    """Weights from rows; `texts` holds a wording of every row for each epoch."""
    draw = np.random.default_rng(SEED)
    key = jax.random.PRNGKey(SEED)
    parameters = _first(draw)
    average = parameters
    table, tokenizer, targets = vectors(), Tokenizer(), _targets(rows, weights)
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
        pieces, losses = tokenizer(texts[epoch]), []
        for batch in _batches(pieces, targets, table, draw):
            key, drawn = jax.random.split(key)
            parameters, average, state, loss = compiled(parameters, average, state, batch, drawn)
            losses.append(loss)
        print(f"epoch {epoch + 1} of {epochs}: loss {float(np.mean(losses)):.4f}", flush=True)  # noqa: T201
    return EncoderWeights(**{name: np.asarray(value, dtype=np.float16) for name, value in average.items()})


def _first(draw: np.random.Generator) -> Parameters:
    def normal(rows: int, columns: int, size: float) -> Any:  # noqa: ANN401
        return jnp.asarray(draw.normal(0.0, size, (rows, columns)), jnp.float32)

    outputs = len(KINDS) + len(DETAILS)
    zeros, ones = jnp.zeros(WIDTH), jnp.ones(WIDTH)
    return {name: jnp.asarray(value) for name, value in first_layers().items()} | {
        "norm_gain": ones,
        "norm_shift": zeros,
        "hidden": normal(2 * WIDTH, WIDTH, WIDTH**-0.5),
        "hidden_bias": zeros,
        "heads": normal(WIDTH, outputs, 0.01),
        "heads_bias": jnp.zeros(outputs),
    }


def _targets(rows: Sequence[Row], weights: NDArray[np.float64]) -> Targets:
    kinds: dict[Kind, int] = {kind: column for column, kind in enumerate(KINDS)}
    nothing = [np.nan] * (len(FLAGS) + len(TOPICS))
    return Targets(
        kind=np.array([kinds[row.kind] if row.kind else -1 for row in rows]),
        category=np.array([CATEGORIES.index(row.category) if row.category else -1 for row in rows]),
        sentiment=np.array([row.sentiment - 1 if row.sentiment else -1 for row in rows]),
        yes_no=np.array([_yes_no(row) if row.toxic is not None else nothing for row in rows], np.float32),
        weight=np.array(weights, dtype=np.float32),
    )


def _yes_no(row: Row) -> list[float]:
    toxic = np.nan if row.toxic is None else float(row.toxic)
    if row.topics is None:
        return [np.nan] * len(UrgencyReason) + [toxic] + [np.nan] * len(TOPICS)
    reasons = [float(reason in (row.urgency or ())) for reason in UrgencyReason]
    return [*reasons, toxic, *(float(topic in row.topics) for topic in TOPICS)]


def _batches(
    pieces: Pieces, targets: Targets, table: NDArray[np.float32], draw: np.random.Generator
) -> Iterator[dict[str, NDArray[Any]]]:
    """Rows in a new order, those of like length together, padded to one of a few lengths."""
    order = draw.permutation(pieces.lengths.size)
    groups = []
    for start in range(0, order.size, _BATCH * _BLOCK):
        block = order[start : start + _BATCH * _BLOCK]
        block = block[np.argsort(pieces.lengths[block], kind="stable")]
        groups += [block[at : at + _BATCH] for at in range(0, block.size - _BATCH + 1, _BATCH)]
    for number in draw.permutation(len(groups)):
        rows = groups[number]
        length = next(size for size in _LENGTHS if size >= pieces.lengths[rows].max())
        at = np.arange(length)
        inside = at < pieces.lengths[rows][:, None]
        ids = pieces.ids[np.where(inside, pieces.starts[rows][:, None] + at, 0)]
        yield {"vectors": table[ids] * inside[..., None], "inside": inside.astype(np.float32), **targets.at(rows)}


def _normal(rows: Any) -> Any:  # noqa: ANN401
    centred = rows - rows.mean(-1, keepdims=True)
    return centred * jax.lax.rsqrt((centred**2).mean(-1, keepdims=True) + _EPSILON)


def _scores(p: Parameters, inputs: Any, inside: Any, dropout: Any) -> Any:  # noqa: ANN401
    mask = inside[..., None]
    projected = _normal(inputs @ p["projection"] + p["projection_bias"]) * p["projection_gain"] + p["projection_shift"]
    projected = projected * mask
    around = projected @ p["convolution"]
    before = jnp.pad(around[:, :-1, :WIDTH], ((0, 0), (1, 0), (0, 0)))
    after = jnp.pad(around[:, 1:, 2 * WIDTH :], ((0, 0), (0, 1), (0, 0)))
    mixed = jax.nn.relu(around[..., WIDTH : 2 * WIDTH] + before + after + p["convolution_bias"]) + projected
    features = _normal(mixed) * p["norm_gain"] + p["norm_shift"]
    sums = (features * mask).sum(1) / jnp.sqrt(inside.sum(1))[:, None] / 2
    pooled = jnp.concatenate((sums, jnp.where(mask > 0, features, -1e9).max(1)), -1)
    hidden = jax.nn.relu(pooled @ p["hidden"] + p["hidden_bias"])
    kept = jax.random.bernoulli(dropout, 1 - _DROPPED_FEATURES, hidden.shape)
    return (hidden * kept / (1 - _DROPPED_FEATURES)) @ p["heads"] + p["heads_bias"]


def _loss(p: Parameters, batch: Any, key: Any) -> Any:  # noqa: ANN401
    for_pieces, for_features = jax.random.split(key)
    kept = jax.random.bernoulli(for_pieces, 1 - _DROPPED_PIECES, batch["inside"].shape)
    scores = _scores(p, batch["vectors"] * kept[..., None], batch["inside"], for_features)
    details = scores[:, len(KINDS) :]
    of_kinds = jax.nn.log_softmax(scores[:, : len(KINDS)])
    of_categories = jnp.log(jnp.exp(of_kinds) @ jnp.asarray(MEMBERSHIP, jnp.float32) + 1e-9)
    of_sentiments = jax.nn.log_softmax(details[:, :SENTIMENTS])
    each = _likelihood(of_categories, batch["category"]) + _KIND_WEIGHT * _likelihood(of_kinds, batch["kind"])
    each = each + _SENTIMENT_WEIGHT * _likelihood(of_sentiments, batch["sentiment"])
    truth = jnp.nan_to_num(batch["yes_no"])
    wrong = optax.sigmoid_binary_cross_entropy(details[:, SENTIMENTS:], truth)
    said = jnp.where(jnp.isnan(batch["yes_no"]), 0.0, wrong).sum(1)
    return (batch["weight"] * each + _DETAIL_WEIGHT * said).mean()


def _likelihood(logarithms: Any, truth: Any) -> Any:  # noqa: ANN401
    """Negative logarithm of the true class; 0 where a row does not tell it."""
    chosen = jnp.take_along_axis(logarithms, jnp.maximum(truth, 0)[:, None], 1)[:, 0]
    return jnp.where(truth >= 0, -chosen, 0.0)
