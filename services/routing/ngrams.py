"""Hashed n-grams of words and characters: rolling hashes over the whole batch at once."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.routing.tokens import Words

TABLE_BITS = 19
TABLE_SIZE = 1 << TABLE_BITS
CHARACTER_ORDERS = (3, 4, 5)

_BASE = np.uint64(0x100000001B3)
_MIX = np.uint64(0x9E3779B97F4A7C15)
_PAIR, _SKIP, _OPENING, _OPENING_PAIR, _CHARACTERS = (
    np.uint64(salt)
    for salt in (0xA24BAED4963EE407, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9, 0xD6E8FEB86659FD93, 0x85EBCA77C2B2AE63)
)
_LONGEST_WORD = 4_096
_POWERS = np.cumprod(np.full(_LONGEST_WORD, _BASE), dtype=np.uint64)


@dataclass(frozen=True, slots=True)
class Ngrams:
    """One group of hashed features of a batch, those of the first text first."""

    columns: NDArray[np.int64]
    """Rows of the weight table, in the order of the texts."""
    starts: NDArray[np.int64]
    """Where the features of each text begin in `columns`, and one more: the end of the last."""

    @property
    def norms(self) -> NDArray[np.float64]:
        """What the sum over a text's features is divided by, so that long texts do not shout."""
        return np.sqrt(np.maximum(np.diff(self.starts), 1.0))


class WordHashes:
    """Hashes of the words of a batch and of their beginnings."""

    def __init__(self, words: Words) -> None:
        lengths = np.diff(words.starts)
        position = np.arange(words.characters.size) - np.repeat(words.starts[:-1], lengths)
        terms = words.characters * _POWERS[np.minimum(position, _LONGEST_WORD - 1)]
        self._sums = np.concatenate((np.zeros(1, np.uint64), np.cumsum(terms, dtype=np.uint64)))
        self._starts = words.starts
        self.lengths = lengths
        self.whole = self._sums[words.starts[1:]] - self._sums[words.starts[:-1]]

    def beginnings(self, length: int, words: NDArray[np.int64]) -> NDArray[np.uint64]:
        """Hash of the first `length` letters of the given words, each at least so long."""
        starts = self._starts[words]
        return self._sums[starts + length] - self._sums[starts]


def word_ngrams(words: Words, hashes: NDArray[np.uint64], texts: int) -> Ngrams:
    """Words, pairs, pairs around one word, and what a sentence opens with."""
    same = words.text[1:] == words.text[:-1]
    skips = np.flatnonzero(words.text[2:] == words.text[:-2])
    pairs, openings = np.flatnonzero(same), np.flatnonzero(words.opens_sentence)
    opening_pairs = pairs[words.opens_sentence[pairs]]
    pair_hashes = _combine(hashes[:-1], hashes[1:])
    groups = (
        (np.arange(hashes.size), hashes),
        (pairs, pair_hashes[pairs] + _PAIR),
        (skips, _combine(hashes[skips], hashes[skips + 2]) + _SKIP),
        (openings, hashes[openings] + _OPENING),
        (opening_pairs, pair_hashes[opening_pairs] + _OPENING_PAIR),
    )
    text = words.text[np.concatenate([at for at, _ in groups])]
    return _ordered(text, np.concatenate([values for _, values in groups]), texts)


def character_ngrams(words: Words, texts: int) -> Ngrams:
    """Runs of characters inside a word with its edges; never across two words."""
    lengths = np.diff(words.starts)
    number = np.repeat(np.arange(lengths.size), lengths)
    padded = np.zeros(words.characters.size + lengths.size + 1, dtype=np.uint64)
    at = np.arange(words.characters.size) + number + 1
    padded[at] = words.characters
    edge = padded == 0
    text = np.zeros(padded.size, dtype=np.int64)
    text[at] = words.text[number]
    columns, owners = [], []
    crosses = edge[1:-1].copy()
    rolled = padded[:-1] * _BASE + padded[1:]
    for order in CHARACTER_ORDERS:
        size = max(padded.size - order + 1, 0)
        rolled = rolled[:size] * _BASE + padded[order - 1 :]
        crosses = (
            crosses[:size] if order == CHARACTER_ORDERS[0] else crosses[:size] | edge[order - 2 : order - 2 + size]
        )
        inside = np.flatnonzero(~crosses)
        columns.append(rolled[inside] + _CHARACTERS)
        owners.append(text[inside + 1])
    return _ordered(np.concatenate(owners), np.concatenate(columns), texts)


def column_of(hashes: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Row of the weight table that a hash falls on."""
    mixed = (hashes ^ (hashes >> np.uint64(29))) * _MIX
    return (mixed >> np.uint64(64 - TABLE_BITS)).astype(np.int64)


def _combine(first: NDArray[np.uint64], second: NDArray[np.uint64]) -> NDArray[np.uint64]:
    return first * _MIX + (second ^ (second >> np.uint64(31)))


def _ordered(text: NDArray[np.int64], hashes: NDArray[np.uint64], texts: int) -> Ngrams:
    order = np.argsort(text, kind="stable")
    starts = np.concatenate(([0], np.cumsum(np.bincount(text, minlength=texts))))
    return Ngrams(column_of(hashes)[order], starts)
