"""The teacher: a multilingual transformer, trained for the same outputs; too slow to serve itself.

It understands more from the same rows than small models do; they learn what it makes of many texts.
"""

import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import jax
import jax.numpy as jnp
import numpy as np
import optax
from numpy.typing import NDArray
from sentencepiece import SentencePieceProcessor, sentencepiece_model_pb2

from services.routing.judgement import Text
from services.routing.model.checkpoint import Checkpoint
from services.routing.model.learning import OUTPUTS, Parameters, Targets, batches, loss_of
from services.routing.model.products import product
from services.routing.pieces import prepared
from services.routing.venues import Venue

EPOCHS: Final = 3
SEED: Final = 0
_RATE, _HEADS_RATE, _WARM_UP, _LAST_RATE = 1e-4, 1e-3, 0.06, 0.02
_DECAY, _CLIP = 1e-2, 1.0
_DROPPED_PIECES, _DROPPED_FEATURES = 0.08, 0.2
_BATCH = 32
_LENGTHS: Final = (16, 24, 32, 48, 64, 100)
_HEAD_PIECES, _TAIL_PIECES = 64, 32
_EPSILON = 1e-12
_LEADS: Final = {
    None: "query:",
    Venue.MICROBLOG: "tweet:",
    Venue.COMMENT: "comment:",
    Venue.REVIEW: "review:",
    Venue.CHAT: "chat:",
    Venue.MAIL: "email:",
    Venue.FORUM: "forum:",
}
"""How a text begins, by its venue; the model was trained with the first one."""
_REPLY: Final = "re: "

F32 = NDArray[np.float32]


class Teacher:
    """Scores texts, once it was trained."""

    def __init__(self, checkpoint: Checkpoint, parameters: Parameters | None = None) -> None:
        self._checkpoint = checkpoint
        self._tokenizer = _tokenizer(checkpoint)
        self._table = checkpoint.tensors["pieces"]
        self._parameters = parameters or _first(checkpoint)
        self._scores = jax.jit(lambda parameters, batch: self._forward(parameters, batch, batch["vectors"])[0])

    def train(self, texts: Sequence[Sequence[Text]], targets: Targets, *, epochs: int = EPOCHS) -> None:
        """Learns the targets; `texts` holds a wording of every row for each epoch."""
        draw, key = np.random.default_rng(SEED), jax.random.PRNGKey(SEED)
        steps = epochs * (len(texts[0]) // _BATCH)
        optimiser = _optimiser(steps)
        parameters = self._parameters
        state = optimiser.init(parameters)

        def step(parameters: Parameters, state: Any, batch: Any, key: Any) -> Any:  # noqa: ANN401
            loss, gradient = jax.value_and_grad(self._loss)(parameters, batch, key)
            updates, state = optimiser.update(gradient, state, parameters)
            return optax.apply_updates(parameters, updates), state, loss

        compiled = jax.jit(step, donate_argnums=(0, 1))
        for epoch in range(epochs):
            ids, losses = self._ids(texts[epoch]), []
            for rows in batches(np.array([len(own) for own in ids]), _BATCH, draw):
                key, drawn = jax.random.split(key)
                batch = self._batch([ids[row] for row in rows]) | targets.at(rows)
                parameters, state, loss = compiled(parameters, state, batch, drawn)
                losses.append(loss)
            print(f"teacher, epoch {epoch + 1} of {epochs}: loss {float(np.mean(losses)):.4f}", flush=True)  # noqa: T201
        self._parameters = parameters

    def scores(self, texts: Sequence[Text]) -> F32:
        """A row for each text: its score for each kind and each detail."""
        ids = self._ids(texts)
        order = sorted(range(len(ids)), key=lambda number: len(ids[number]))
        scores = np.zeros((len(ids), OUTPUTS), np.float32)
        for start in range(0, len(order), _BATCH):
            rows = order[start : start + _BATCH]
            filled = rows + rows[:1] * (_BATCH - len(rows))
            found = self._scores(self._parameters, self._batch([ids[row] for row in filled]))
            scores[rows] = np.asarray(found)[: len(rows)]
        return scores

    def save(self, path: Path) -> None:
        """Writes what was learnt."""
        np.savez(path, allow_pickle=False, **{name: np.asarray(value) for name, value in self._parameters.items()})

    def load(self, path: Path) -> None:
        """Reads what `save` wrote."""
        with np.load(path, allow_pickle=False) as file:
            self._parameters = {name: jnp.asarray(file[name]) for name in file.files}

    def _ids(self, texts: Sequence[Text]) -> list[list[int]]:
        wordings = [_lead(text) + prepared(text.text) for text in texts]
        whole = self._tokenizer.encode([_normalised(wording) for wording in wordings])
        return [[self._checkpoint.begin, *_bounded(ids), self._checkpoint.end] for ids in whole]

    def _batch(self, ids: Sequence[Sequence[int]]) -> dict[str, NDArray[Any]]:
        length = next(size for size in _LENGTHS if size >= max(map(len, ids)))
        padded = np.zeros((len(ids), length), np.int64)
        for row, own in enumerate(ids):
            padded[row, : len(own)] = own
        inside = np.arange(length) < np.array([len(own) for own in ids])[:, None]
        return {"vectors": self._table[padded], "inside": inside.astype(np.float32)}

    def _loss(self, parameters: Parameters, batch: Any, key: Any) -> Any:  # noqa: ANN401
        for_pieces, for_features = jax.random.split(key)
        kept = jax.random.bernoulli(for_pieces, 1 - _DROPPED_PIECES, batch["inside"].shape)
        _, pooled = self._forward(parameters, batch, batch["vectors"] * kept[..., None])
        kept = jax.random.bernoulli(for_features, 1 - _DROPPED_FEATURES, pooled.shape) / (1 - _DROPPED_FEATURES)
        return loss_of((pooled * kept) @ parameters["heads"] + parameters["heads_bias"], batch)

    def _forward(self, p: Parameters, batch: Any, vectors: Any) -> tuple[Any, Any]:  # noqa: ANN401
        """The scores, and what they are made of."""
        texts, length, width = vectors.shape
        mask = batch["inside"]
        outside = (mask[:, None, None, :] - 1) * 1e9
        rows = _normal(vectors + p["positions"][:length], p["gain"], p["shift"]).reshape(-1, width)
        for layer in range(self._checkpoint.layers):
            own = {name: p[name][layer] for name in _OF_LAYERS}
            rows = _layer(own, rows, (texts, length, self._checkpoint.heads, width // self._checkpoint.heads), outside)
        rows = rows.reshape(texts, length, width)
        mean = (rows * mask[..., None]).sum(1) / mask.sum(1)[:, None]
        pooled = jnp.concatenate((mean, rows[:, 0]), axis=-1)
        return pooled @ p["heads"] + p["heads_bias"], pooled


_OF_LAYERS: Final = (
    *("qkv", "qkv_bias", "ao", "ao_bias", "fi", "fi_bias", "fo", "fo_bias"),
    *("aln_gain", "aln_shift", "oln_gain", "oln_shift"),
)


def _layer(p: Parameters, rows: Any, shape: tuple[int, int, int, int], outside: Any) -> Any:  # noqa: ANN401
    """Attention, then two products, each added to what came in."""
    texts, length, heads, size = shape
    split = (product(rows, p["qkv"]) + p["qkv_bias"]).reshape(texts, length, 3, heads, size).transpose(2, 0, 3, 1, 4)
    query, key, value = split.reshape(3, texts * heads, length, size)
    alike = (query @ key.transpose(0, 2, 1)).reshape(texts, heads, length, length) * size**-0.5 + outside
    seen = jax.nn.softmax(alike, -1).reshape(texts * heads, length, length) @ value
    seen = seen.reshape(texts, heads, length, size).transpose(0, 2, 1, 3).reshape(rows.shape)
    rows = _normal(rows + product(seen, p["ao"]) + p["ao_bias"], p["aln_gain"], p["aln_shift"])
    inner = jax.nn.gelu(product(rows, p["fi"]) + p["fi_bias"], approximate=True)
    return _normal(rows + product(inner, p["fo"]) + p["fo_bias"], p["oln_gain"], p["oln_shift"])


def _normal(rows: Any, gain: Any, shift: Any) -> Any:  # noqa: ANN401
    centred = rows - rows.mean(-1, keepdims=True)
    return centred * jax.lax.rsqrt((centred**2).mean(-1, keepdims=True) + _EPSILON) * gain + shift


def _first(checkpoint: Checkpoint) -> Parameters:
    draw = np.random.default_rng(SEED)
    parameters = {name: jnp.asarray(value) for name, value in checkpoint.tensors.items() if name != "pieces"}
    heads = draw.normal(0.0, 0.02, (2 * checkpoint.width, OUTPUTS))
    return parameters | {"heads": jnp.asarray(heads, jnp.float32), "heads_bias": jnp.zeros(OUTPUTS)}


def _optimiser(steps: int) -> Any:  # noqa: ANN401 - published without types
    """Heads learn from nothing, so they learn faster; positions stay as they are."""

    def rate(peak: float) -> Any:  # noqa: ANN401
        rising = int(steps * _WARM_UP)
        falling = optax.linear_schedule(peak, peak * _LAST_RATE, steps - rising)
        return optax.join_schedules([optax.linear_schedule(0.0, peak, rising), falling], [rising])

    def group(parameters: Parameters) -> dict[str, str]:
        named = {name: "heads" if name.startswith("heads") else "layers" for name in parameters}
        return named | {"positions": "positions"}

    groups = {
        "heads": optax.adamw(rate(_HEADS_RATE), weight_decay=_DECAY),
        "layers": optax.adamw(rate(_RATE), weight_decay=_DECAY, mask=_decays),
        "positions": optax.set_to_zero(),
    }
    return optax.chain(optax.clip_by_global_norm(_CLIP), optax.multi_transform(groups, group))


def _decays(parameters: Parameters) -> dict[str, bool]:
    return {name: not name.endswith(("_bias", "gain", "shift")) for name in parameters}


def _normalised(text: str) -> str:
    """As the checkpoint's pieces were made: line breaks and tabs are blanks there."""
    return " ".join(unicodedata.normalize("NFKC", text).split())


def _bounded(ids: list[int]) -> list[int]:
    if len(ids) > _HEAD_PIECES + _TAIL_PIECES:
        return ids[:_HEAD_PIECES] + ids[-_TAIL_PIECES:]
    return ids


def _lead(text: Text) -> str:
    return f"{_LEADS[text.venue]} {_REPLY if text.reply else ''}"


def _tokenizer(checkpoint: Checkpoint) -> Any:  # noqa: ANN401 - published without types
    """The checkpoint's own pieces, as a model of sentencepiece."""
    model: Any = sentencepiece_model_pb2.ModelProto()  # type: ignore[attr-defined]  # made at import
    model.trainer_spec.model_type = model.trainer_spec.UNIGRAM
    model.trainer_spec.bos_id, model.trainer_spec.eos_id = checkpoint.begin, checkpoint.end
    model.trainer_spec.pad_id, model.trainer_spec.unk_id = checkpoint.padding, checkpoint.unknown
    model.normalizer_spec.name = "identity"
    kinds = dict.fromkeys((checkpoint.begin, checkpoint.end, checkpoint.padding), model.SentencePiece.CONTROL)
    kinds[checkpoint.unknown] = model.SentencePiece.UNKNOWN
    for number, (piece, score) in enumerate(zip(checkpoint.pieces, checkpoint.scores.tolist(), strict=True)):
        model.pieces.add(piece=piece, score=score, type=kinds.get(number, model.SentencePiece.NORMAL))
    return SentencePieceProcessor(model_proto=model.SerializeToString())
