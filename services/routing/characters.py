"""What each character is to the classifier: its folded form and its class, as lookup tables."""

import unicodedata
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

_TABLE_SIZE = 0x3000
_KEPT_ACCENTS = "ñç"
_SENTENCE_ENDS = ".!?…\n:;"
_SYMBOL_RANGES = ((0x2300, 0x23FF), (0x2600, 0x27BF), (0x2B00, 0x2BFF), (0x1F000, 0x1FAFF))
_DROPPED_RANGES = ((0x0300, 0x036F), (0x200B, 0x200F), (0x2060, 0x2064), (0xFE00, 0xFE0F), (0x1F3FB, 0x1F3FF))
_BREAK_RANGES = ((0x3000, 0x3003), (0xD800, 0xE0FF), (0xFF01, 0xFF0F), (0xFFF0, 0xFFFF))


class Kind(IntEnum):
    """The part that a character plays in a word."""

    BREAK = 0
    """Space, punctuation and control characters: ends a word."""
    LETTER = 1
    DIGIT = 2
    SYMBOL = 3
    """A word of its own: an emoji."""
    DROPPED = 4
    """Leaves no trace: combining marks, skin tones, joiners."""


class CharacterTable:
    """Folds arrays of code points: lower case without accents, digits as `0`."""

    def __init__(self) -> None:
        characters = [chr(code) for code in range(_TABLE_SIZE)]
        self._folded = np.array([ord(_fold(character)) for character in characters], dtype=np.uint32)
        kinds = np.array([_kind(character) for character in characters], dtype=np.uint8)
        self._kinds = _with_ranges(kinds, np.arange(_TABLE_SIZE, dtype=np.uint32))
        self._upper = np.array([character.isupper() for character in characters])
        self._ends_sentence = np.array([character in _SENTENCE_ENDS for character in characters])

    def fold(self, codes: NDArray[np.uint32]) -> tuple[NDArray[np.uint32], NDArray[np.uint8]]:
        """Folded characters and their kinds, of the same length as `codes`."""
        low = np.minimum(codes, _TABLE_SIZE - 1)
        folded, kinds = self._folded[low], self._kinds[low]
        high = np.flatnonzero(codes >= _TABLE_SIZE)
        if high.size:
            folded[high] = codes[high]
            kinds[high] = _with_ranges(np.full(high.size, Kind.LETTER, dtype=np.uint8), codes[high])
        return folded, kinds

    def upper(self, codes: NDArray[np.uint32]) -> NDArray[np.bool_]:
        """Whether each character is an upper-case letter."""
        return self._upper[np.minimum(codes, _TABLE_SIZE - 1)]

    def ends_sentence(self, codes: NDArray[np.uint32]) -> NDArray[np.bool_]:
        """Whether a new sentence or clause begins after each character."""
        return self._ends_sentence[np.minimum(codes, _TABLE_SIZE - 1)]


def _fold(character: str) -> str:
    lowered = character.lower()[0]
    if lowered in _KEPT_ACCENTS:
        return lowered
    if unicodedata.category(lowered) == "Nd":
        return "0"
    return unicodedata.normalize("NFD", lowered)[0]


def _kind(character: str) -> Kind:
    category = unicodedata.category(character)
    if category.startswith("L"):
        return Kind.LETTER
    if category.startswith("N"):
        return Kind.DIGIT
    return Kind.BREAK


def _with_ranges(kinds: NDArray[np.uint8], codes: NDArray[np.uint32]) -> NDArray[np.uint8]:
    ranges = ((Kind.SYMBOL, _SYMBOL_RANGES), (Kind.DROPPED, _DROPPED_RANGES), (Kind.BREAK, _BREAK_RANGES))
    for kind, spans in ranges:
        for first, last in spans:
            kinds[(codes >= first) & (codes <= last)] = kind
    return kinds
