"""Finds words of a few closed classes (negation, praise, thanks ...) by hash, whole or by their beginning."""

from collections.abc import Mapping, Sequence
from typing import Self

import numpy as np
from numpy.typing import NDArray

from services.routing.hash_index import HashIndex
from services.routing.ngrams import WordHashes
from services.routing.tokens import read, split

WORD_CLASSES = (
    "positive",
    "negative",
    "problem",
    "negation",
    "asking",
    "request",
    "suggestion",
    "thanks",
    "greeting",
    "you",
    "me",
    "waiting",
    "contrast",
    "insult",
)
"""The classes that a lexicon may name; the position is the bit."""

BEGINNING_LENGTHS = range(3, 10)
"""Lengths that the part before `*` of an entry may have."""

_LENGTH_SALTS = np.arange(BEGINNING_LENGTHS.stop, dtype=np.uint64) * np.uint64(0x9E6C63D0876A9A47)


class Lexicon:
    """Sorted hashes of entries with the classes of each, one bit a class."""

    def __init__(self, keys: NDArray[np.uint64], classes: NDArray[np.uint32]) -> None:
        self.keys, self.classes = keys, classes
        self._index = HashIndex(keys)

    @classmethod
    def compile(cls, entries: Mapping[str, Sequence[str]]) -> Self:
        """Hashes entries by class; `refund*` stands for every word that begins so. Raises ValueError on a bad one."""
        classes: dict[int, int] = {}
        for word_class, words in entries.items():
            bit = 1 << WORD_CLASSES.index(word_class)
            for word in words:
                key = _key_of_entry(word)
                classes[key] = classes.get(key, 0) | bit
        keys = np.array(sorted(classes), dtype=np.uint64)
        return cls(keys, np.array([classes[int(key)] for key in keys], dtype=np.uint32))

    def classes_of(self, hashes: WordHashes) -> NDArray[np.uint32]:
        """The classes of every word of a batch."""
        found = self._find(hashes.whole)
        for length in BEGINNING_LENGTHS:
            long_enough = np.flatnonzero(hashes.lengths >= length)
            keys = hashes.beginnings(length, long_enough) + _LENGTH_SALTS[length]
            found[long_enough] |= self._find(keys)
        return found

    def _find(self, keys: NDArray[np.uint64]) -> NDArray[np.uint32]:
        found = np.zeros(keys.size, dtype=np.uint32)
        hits, entries = self._index.find(keys)
        found[hits] = self.classes[entries]
        return found


def _key_of_entry(entry: str) -> int:
    beginning = entry.removesuffix("*")
    words = split(read([beginning]))
    length = int(words.characters.size)
    if words.text.size != 1 or (entry != beginning and length not in BEGINNING_LENGTHS):
        problem = f"lexicon entry {entry!r} must be one word, or {BEGINNING_LENGTHS} letters of one and a star"
        raise ValueError(problem)
    salt = 0 if entry == beginning else int(_LENGTH_SALTS[length])
    return (int(WordHashes(words).whole[0]) + salt) % (1 << 64)
