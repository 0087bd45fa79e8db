"""What is learnt from rows, how far scores are from it, and in which batches: whatever model learns it, in JAX."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

# Read once, when JAX is loaded: on another number of threads the same rows give other bytes.
os.environ["NPROC"] = "1"

import jax
import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import NDArray

from services.routing.judgement import UrgencyReason
from services.routing.model.datasets import Row
from services.routing.outputs import CATEGORIES, DETAILS, FLAGS, KINDS, MEMBERSHIP, SENTIMENTS, TOPICS

Parameters: TypeAlias = dict[str, Any]
OUTPUTS: Final = len(KINDS) + len(DETAILS)
_BLOCK_BATCHES: Final = 50
"""Among so many batches, texts of like length are put together."""

_SENTIMENT_WEIGHT, _DETAIL_WEIGHT, _KIND_WEIGHT = 0.5, 0.3, 0.5


@dataclass(frozen=True)
class Targets:
    """What is to be learnt of each row: probabilities, all 0 where nothing is told, NaN for a yes or no."""

    categories: NDArray[np.float32]
    kinds: NDArray[np.float32]
    sentiments: NDArray[np.float32]
    yes_no: NDArray[np.float32]
    """Urgency reasons and toxicity, then topics."""
    weight: NDArray[np.float32]

    def at(self, rows: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
        """Those of some rows, by name."""
        return {name: value[rows] for name, value in vars(self).items()}

    def __add__(self, other: "Targets") -> "Targets":
        """Those of more rows."""
        return Targets(**{name: np.concatenate((value, vars(other)[name])) for name, value in vars(self).items()})


def targets_of(rows: Sequence[Row], weights: NDArray[np.float64]) -> Targets:
    """What rows with labels teach."""
    nothing = [np.nan] * (len(FLAGS) + len(TOPICS))
    return Targets(
        categories=np.array([[row.category is each for each in CATEGORIES] for row in rows], np.float32),
        kinds=np.array([[row.kind is kind for kind in KINDS] for row in rows], np.float32),
        sentiments=np.array([[row.sentiment == 1 + level for level in range(SENTIMENTS)] for row in rows], np.float32),
        yes_no=np.array([_yes_no(row) if row.toxic is not None else nothing for row in rows], np.float32),
        weight=weights.astype(np.float32),
    )


def loss_of(scores: Any, batch: Any) -> Any:  # noqa: ANN401 - traced
    """How far scores are from the targets of a batch."""
    details = scores[:, len(KINDS) :]
    of_kinds = jax.nn.log_softmax(scores[:, : len(KINDS)])
    of_categories = jnp.log(jnp.exp(of_kinds) @ jnp.asarray(MEMBERSHIP, jnp.float32) + 1e-9)
    of_sentiments = jax.nn.log_softmax(details[:, :SENTIMENTS])
    each = -(batch["categories"] * of_categories).sum(1) - _KIND_WEIGHT * (batch["kinds"] * of_kinds).sum(1)
    each = each - _SENTIMENT_WEIGHT * (batch["sentiments"] * of_sentiments).sum(1)
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
