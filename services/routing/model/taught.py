"""Lessons: what the committee makes of texts, in one file. Beside the corpus, what both stages learn from."""

import io
import json
import lzma
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from services.routing.calibration import Floats
from services.routing.judgement import Category, Text
from services.routing.model.learning import Targets
from services.routing.outputs import DETAILS, KINDS, MEMBERSHIP, SENTIMENTS
from services.routing.venues import Venue

TAUGHT_PATH: Final = Path(__file__).parent / "taught.npz.xz"
_VENUES: Final = (None, *Venue)
_COLUMNS: Final = [*map(str, KINDS), *DETAILS, *map(str, _VENUES)]
_SEED: Final = 0
_FINE, _COARSE = 255, 31
"""Probabilities are stored as whole numbers up to this: those of kinds, and the others."""


@dataclass(frozen=True)
class Taught:
    """Texts, and for each the probabilities of kinds, of sentiments, and of each yes or no."""

    texts: Sequence[Text]
    kinds: NDArray[np.uint8]
    sentiments: NDArray[np.uint8]
    yes_no: NDArray[np.uint8]

    @classmethod
    def of(cls, texts: Sequence[Text], scores: NDArray[np.float32]) -> Self:
        """From scores of texts."""
        kinds, sentiments, rest = np.split(scores, [len(KINDS), len(KINDS) + SENTIMENTS], axis=1)
        yes = 1 / (1 + np.exp(-rest))
        return cls(
            texts, _rounded(_softmax(kinds), _FINE), _rounded(_softmax(sentiments), _COARSE), _rounded(yes, _COARSE)
        )

    @classmethod
    def load(cls, path: Path = TAUGHT_PATH) -> Self:
        """Reads what `save` wrote. Raises ValueError if it has other columns than this version."""
        with np.load(io.BytesIO(lzma.decompress(path.read_bytes())), allow_pickle=False) as file:
            if file["columns"].tolist() != _COLUMNS:
                problem = f"{path} was written for other outputs; make it anew with services.routing.model.teach"
                raise ValueError(problem)
            words: list[str] = json.loads(file["texts"].tobytes())
            told = zip(words, file["venues"].tolist(), file["replies"].tolist(), strict=True)
            texts = [Text(text, venue=_VENUES[venue], reply=reply) for text, venue, reply in told]
            return cls(texts, file["kinds"], file["sentiments"], file["yes_no"])

    def save(self, path: Path = TAUGHT_PATH) -> None:
        """Writes one compressed file: by lzma, which finds a text again among those varied from it."""
        words = json.dumps([text.text for text in self.texts], ensure_ascii=False).encode()
        arrays: dict[str, Any] = {
            "columns": np.array(_COLUMNS),
            "texts": np.frombuffer(words, np.uint8),
            "venues": np.array([_VENUES.index(text.venue) for text in self.texts], np.uint8),
            "replies": np.array([text.reply for text in self.texts], np.bool_),
            "kinds": self.kinds,
            "sentiments": self.sentiments,
            "yes_no": self.yes_no,
        }
        whole = io.BytesIO()
        np.savez(whole, allow_pickle=False, **arrays)
        path.write_bytes(lzma.compress(whole.getvalue()))

    def some(self, count: int) -> Self:
        """At most so many of them, from everywhere."""
        chosen = np.random.default_rng(_SEED).permutation(len(self.texts))[:count]
        texts = [self.texts[number] for number in chosen.tolist()]
        return type(self)(texts, self.kinds[chosen], self.sentiments[chosen], self.yes_no[chosen])

    def targets(self) -> Targets:
        """What is to be learnt of them."""
        kinds, sentiments = _whole(self.kinds), _whole(self.sentiments)
        yes_no = (self.yes_no / _COARSE).astype(np.float32)
        categories = kinds @ MEMBERSHIP.astype(np.float32)
        return Targets(categories, kinds, sentiments, yes_no, self.weights().astype(np.float32))

    def weights(self) -> Floats:
        """How much each counts, so that each category weighs the same."""
        categories = _whole(self.kinds) @ MEMBERSHIP
        sums = np.maximum(categories.sum(axis=0), 1.0)
        return np.asarray(categories @ (len(categories) / len(Category) / sums))

    def drawn_kinds(self) -> NDArray[np.int64]:
        """A kind of each text, as likely as it is said to be: for what learns from one label a text."""
        drawn = np.random.default_rng(_SEED).random(len(self.kinds))[:, None]
        return np.asarray(np.minimum((_whole(self.kinds).cumsum(axis=1) < drawn).sum(axis=1), len(KINDS) - 1))


def _softmax(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def _rounded(probabilities: NDArray[Any], certain: int) -> NDArray[np.uint8]:
    return np.round(probabilities * certain).astype(np.uint8)


def _whole(rounded: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Probabilities that add up to 1 again."""
    return np.asarray(rounded / rounded.sum(axis=1, keepdims=True, dtype=np.float32), np.float32)
