"""Cuts a batch of texts into words, as arrays: one pass of numpy over all characters of the batch."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.routing.characters import CharacterTable, Kind

MAX_CHARACTERS = 4_000
"""What of a text is considered; the rest changes nothing."""

URL_MASK, MENTION_MASK, EMAIL_MASK = "\ue000", "\ue001", "\ue002"

_ADDRESSES = re.compile(r"@\w+|@<[a-z_]+>|<[a-z_]{3,12}>|https?://\S+|www\.\S+")
_PUBLIC_MASKS = {"<url>": URL_MASK, "<email>": EMAIL_MASK, "<twitter_at>": MENTION_MASK}
_MAY_HOLD_ADDRESS = re.compile(r"[@<]|://|www\.")
_QUOTES = (ord("'"), 0x2019)
_TABLE = CharacterTable()


@dataclass(frozen=True, slots=True)
class Words:
    """The words of a batch in order. `text` numbers the text that a word stands in."""

    characters: NDArray[np.uint32]
    """Folded characters of all words, one word after another, nothing between them."""
    starts: NDArray[np.int64]
    """Where each word begins in `characters`, and one more: the end of the last."""
    text: NDArray[np.int64]
    opens_sentence: NDArray[np.bool_]

    def last_of_texts(self) -> NDArray[np.int64]:
        """The last word of each text that has words."""
        return np.flatnonzero(np.diff(self.text, append=-1))

    def spell(self, words: NDArray[np.int64]) -> list[str]:
        """The folded letters of the given words."""
        letters = self.characters.tobytes().decode("utf-32-le")
        starts, ends = self.starts[words].tolist(), self.starts[words + 1].tolist()
        return [letters[start:end] for start, end in zip(starts, ends, strict=True)]


@dataclass(frozen=True, slots=True)
class Characters:
    """The characters of a batch as they were written, but for masked addresses."""

    codes: NDArray[np.uint32]
    starts: NDArray[np.int64]
    """Where each text begins in `codes`, and one more: the end of the last."""

    @property
    def texts(self) -> int:
        """How many texts there are."""
        return self.starts.size - 1

    def text_at(self, positions: NDArray[np.int64]) -> NDArray[np.int64]:
        """The number of the text that each position stands in."""
        return np.searchsorted(self.starts, positions, side="right") - 1

    def upper(self) -> NDArray[np.bool_]:
        """Whether each character is an upper-case letter."""
        return _TABLE.upper(self.codes)


def read(texts: Sequence[str]) -> Characters:
    """Masks addresses, caps the length and lays the texts one after another."""
    masked = [_mask(text) for text in texts]
    lengths = np.fromiter(map(len, masked), dtype=np.int64, count=len(masked))
    codes = np.frombuffer("".join(masked).encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    return Characters(codes, np.concatenate(([0], np.cumsum(lengths))))


def split(characters: Characters) -> Words:
    """Finds the words: runs of letters and digits, and single symbols. `don't` is one word, `l'hotel` two."""
    codes = characters.codes
    text = np.repeat(np.arange(characters.texts), np.diff(characters.starts))
    folded, kinds = _TABLE.fold(codes)
    sentence = np.cumsum(_TABLE.ends_sentence(codes))
    kinds[_joining_quotes(codes, folded)] = Kind.DROPPED
    kept = (kinds != Kind.DROPPED) & ~_stretched(folded, kinds, text)
    folded, kinds, text, sentence = folded[kept], kinds[kept], text[kept], sentence[kept]
    inside = kinds != Kind.BREAK
    begins = _word_begins(inside, kinds == Kind.SYMBOL, text)
    starts = np.append(np.cumsum(inside)[begins] - 1, np.count_nonzero(inside))
    word_text, word_sentence = text[begins], sentence[begins]
    opens = np.ones(word_text.size, dtype=np.bool_)
    opens[1:] = (word_text[1:] != word_text[:-1]) | (word_sentence[1:] != word_sentence[:-1])
    return Words(folded[inside], starts, word_text, opens)


def _mask(text: str) -> str:
    text = text[:MAX_CHARACTERS]
    return _ADDRESSES.sub(_mask_of, text) if _MAY_HOLD_ADDRESS.search(text) else text


def _mask_of(match: re.Match[str]) -> str:
    address = match.group()
    if address[0] == "<":
        return _PUBLIC_MASKS.get(address, "0")
    return MENTION_MASK if address[0] == "@" else URL_MASK


def _joining_quotes(codes: NDArray[np.uint32], folded: NDArray[np.uint32]) -> NDArray[np.int64]:
    """Apostrophes of a contracted `not`, as in `don't`: people leave them out as often as not."""
    quotes = np.flatnonzero((codes == _QUOTES[0]) | (codes == _QUOTES[1]))
    quotes = quotes[(quotes > 0) & (quotes < codes.size - 1)]
    joining = (folded[quotes - 1] == ord("n")) & (folded[quotes + 1] == ord("t"))
    return quotes[np.flatnonzero(joining)]


def _stretched(folded: NDArray[np.uint32], kinds: NDArray[np.uint8], text: NDArray[np.int64]) -> NDArray[np.bool_]:
    """The third and later of equal letters in a row, the second and later of digits and symbols."""
    stretched = np.zeros(folded.size, dtype=np.bool_)
    if folded.size > 1:
        again = (folded[1:] == folded[:-1]) & (text[1:] == text[:-1]) & (kinds[1:] != Kind.BREAK)
        stretched[1:] = again & (kinds[1:] != Kind.LETTER)
        stretched[2:] |= again[1:] & again[:-1]
    return stretched


def _word_begins(inside: NDArray[np.bool_], symbol: NDArray[np.bool_], text: NDArray[np.int64]) -> NDArray[np.bool_]:
    begins = inside.copy()
    begins[1:] &= ~inside[:-1] | (text[1:] != text[:-1]) | symbol[1:] | symbol[:-1]
    return begins
