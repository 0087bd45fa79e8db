"""More texts out of those written: words swapped for near ones, texts cut and joined.

A text that was varied may mean another thing: its label says nothing any more, and a teacher has to judge it.
"""

import random
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.routing.judgement import Text
from services.routing.model.datasets import Row
from services.routing.pieces import Tokenizer, vectors

_NEIGHBOURS: Final = 12
_LEAST_ALIKE: Final = 0.25
_WORDS_AT_ONCE: Final = 1_024
_LONGEST: Final = 600
"""Characters."""

_WORD = re.compile(r"\w+")
_SWAPPED, _OF_CUT_SWAPPED, _CUT = 0.3, 0.55, 0.75
"""Shares, added up: swapped, cut and swapped, cut; the rest is two texts joined."""
_MANY_SWAPS, _FEW_SWAPS = 0.25, 0.2
_JOINTS: Final = (" ", ", ", ". ", " ... ", "! ")
_LEAST_WORDS: Final = 3


@dataclass(frozen=True)
class Neighbours:
    """For words of a vocabulary, those of like meaning, whatever their language."""

    near: Mapping[str, Sequence[str]]

    @classmethod
    def of(cls, texts: Sequence[str]) -> "Neighbours":
        """Those of the words of texts, by the vectors of the sentence encoder's vocabulary."""
        pieces = Tokenizer().words()
        table = vectors()[list(pieces.values())]
        table /= np.linalg.norm(table, axis=1, keepdims=True) + 1e-9
        words = list(pieces)
        used = sorted({word for text in texts for word in _WORD.findall(text)} & pieces.keys())
        rows = {word: row for row, word in enumerate(words)}
        near: dict[str, Sequence[str]] = {}
        for start in range(0, len(used), _WORDS_AT_ONCE):
            part = used[start : start + _WORDS_AT_ONCE]
            alike = table[[rows[word] for word in part]] @ table.T
            near |= {word: _near(word, alike[row], words) for row, word in enumerate(part)}
        return cls({word: found for word, found in near.items() if found})


def _near(word: str, alike: NDArray[np.float32], words: Sequence[str]) -> list[str]:
    nearest = np.argpartition(-alike, _NEIGHBOURS + 1)[: _NEIGHBOURS + 1]
    found = [(-alike[row], words[row]) for row in nearest.tolist() if alike[row] > _LEAST_ALIKE]
    return [other for _, other in sorted(found) if other.lower() != word.lower()]


def variations(rows: Sequence[Row], each: int, seed: int = 0) -> list[Text]:
    """About so many texts for each row, the same ones every time with one seed; some are the row's own."""
    near, draw = Neighbours.of([row.text.text for row in rows]).near, random.Random(seed)  # noqa: S311 - no secret
    of_language: dict[str, list[Row]] = defaultdict(list)
    for row in rows:
        of_language[row.language].append(row)
    made = [_varied(row, draw.choice(of_language[row.language]), near, draw) for row in rows for _ in range(each)]
    return [text for text in made if text.text]


def _varied(row: Row, other: Row, near: Mapping[str, Sequence[str]], draw: random.Random) -> Text:
    text, kind = row.text.text, draw.random()
    if kind < _SWAPPED:
        text = _swapped(text, _MANY_SWAPS, near, draw)
    elif kind < _OF_CUT_SWAPPED:
        text = _swapped(_cut(text, draw), _FEW_SWAPS, near, draw)
    elif kind < _CUT:
        text = _cut(text, draw)
    else:
        text = _cut(text, draw) + draw.choice(_JOINTS) + _cut(other.text.text, draw)
        text = _swapped(text, draw.choice((0.0, _FEW_SWAPS)), near, draw)
    if draw.random() < _FEW_SWAPS:
        text = text.replace("?", "").replace("¿", "")
    if draw.random() < _FEW_SWAPS / 2:
        text = text.lower()
    return replace(row.text, text=text[:_LONGEST].strip(), venue=draw.choice((None, row.text.venue)))


def _swapped(text: str, share: float, near: Mapping[str, Sequence[str]], draw: random.Random) -> str:
    def other(word: re.Match[str]) -> str:
        found = near.get(word[0])
        return draw.choice(found) if found and draw.random() < share else word[0]

    return _WORD.sub(other, text)


def _cut(text: str, draw: random.Random) -> str:
    """Some words in a row; all of a short text."""
    words = text.split()
    if len(words) <= _LEAST_WORDS + 1:
        return text
    count = draw.randint(_LEAST_WORDS, len(words) - 1)
    start = draw.randint(0, len(words) - count)
    return " ".join(words[start : start + count])
