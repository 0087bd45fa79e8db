"""What is learnt from rows, how far scores are from it, and in which batches: whatever model learns it, in JAX."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

os.environ["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"

import jax
import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import NDArray

from services.routing.judgement import Kind, UrgencyReason
from services.routing.model.datasets import Row
from services.routing.outputs import CATEGORIES, DETAILS, FLAGS, KINDS, MEMBERSHIP, SENTIMENTS, TOPICS

Parameters: TypeAlias = dict[str, Any]
OUTPUTS: Final = len(KINDS) + len(DETAILS)
_BLOCK_BATCHES: Final = 50
"""Among so many batches, texts of like length are put together."""

_SENTIMENT_WEIGHT, _DETAIL_WEIGHT, _KIND_WEIGHT = 0.5, 0.3, 0.5


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


def targets_of(rows: Sequence[Row], weights: NDArray[np.float64]) -> Targets:
    """What is to be learnt from rows."""
    kinds: dict[Kind, int] = {kind: column for column, kind in enumerate(KINDS)}
    nothing = [np.nan] * (len(FLAGS) + len(TOPICS))
    return Targets(
        kind=np.array([kinds[row.kind] if row.kind else -1 for row in rows]),
        category=np.array([CATEGORIES.index(row.category) if row.category else -1 for row in rows]),
        sentiment=np.array([row.sentiment - 1 if row.sentiment else -1 for row in rows]),
        yes_no=np.array([_yes_no(row) if row.toxic is not None else nothing for row in rows], np.float32),
        weight=np.array(weights, dtype=np.float32),
    )


def loss_of(scores: Any, batch: Any) -> Any:  # noqa: ANN401 - traced
    """How far scores are from the targets of a batch."""
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


def batches(lengths: NDArray[np.int64], size: int, draw: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    """Rows in a new order, those of like length together; what fills no batch is left out this time."""
    order = draw.permutation(lengths.size)
    groups = []
    for start in range(0, order.size, size * _BLOCK_BATCHES):
        block = order[start : start + size * _BLOCK_BATCHES]
        block = block[np.argsort(lengths[block], kind="stable")]
        groups += [block[at : at + size] for at in range(0, block.size - size + 1, size)]
    for number in draw.permutation(len(groups)):
        yield groups[number]


def _yes_no(row: Row) -> list[float]:
    toxic = np.nan if row.toxic is None else float(row.toxic)
    if row.topics is None:
        return [np.nan] * len(UrgencyReason) + [toxic] + [np.nan] * len(TOPICS)
    reasons = [float(reason in (row.urgency or ())) for reason in UrgencyReason]
    return [*reasons, toxic, *(float(topic in row.topics) for topic in TOPICS)]


def _likelihood(logarithms: Any, truth: Any) -> Any:  # noqa: ANN401 - traced
    """Negative logarithm of the true class; 0 where a row does not tell it."""
    chosen = jnp.take_along_axis(logarithms, jnp.maximum(truth, 0)[:, None], 1)[:, 0]
    return jnp.where(truth >= 0, -chosen, 0.0)
