"""Text as bags of terms: case and accents folded, endings cut, so that "Rimborsata" finds "rimborso"."""

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from typing import Final

_STEM_CHARACTERS: Final = 5
"""Cutting to a common stem length serves the inflections of six languages without a stemmer for each."""
_WORD: Final = re.compile(r"\d+(?:[.,]\d+)+|\w+", re.UNICODE)


def fold(text: str) -> str:
    """`text` without case, accents and compatibility forms; "ß" becomes "ss", "Wi-Fi" becomes "wifi"."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    bare = "".join(each for each in decomposed if not unicodedata.combining(each))
    return bare.replace("wi-fi", "wifi")


def fingerprint(text: str) -> bytes:
    """A hash of `text` without regard to case, accents and spaces: networks alter these on the way."""
    return hashlib.sha256(" ".join(fold(text).split()).encode()).digest()


def terms(text: str, stopwords: frozenset[str] = frozenset()) -> list[str]:
    """The terms of `text` in their order; stopwords are folded words."""
    return [_stem(word) for word in _WORD.findall(fold(text)) if word not in stopwords]


def holds(text_terms: list[str], phrase: str) -> bool:
    """Whether the terms of `phrase` stand in `text_terms`, one after another."""
    wanted = _phrase_terms(phrase)
    size = len(wanted)
    return size > 0 and any(text_terms[at : at + size] == wanted for at in range(len(text_terms) - size + 1))


def sentences(text: str) -> list[str]:
    """The sentences of `text`; a full stop inside a number or before a lower-case letter ends none."""
    return [part for part in re.split(r"(?<=[.!?])\s+(?=[^\Wa-z_]|[¿¡«])", " ".join(text.split())) if part]


def fit(parts: Iterable[str], limit: int) -> str:
    """As many whole parts from the front as `limit` characters hold, joined by spaces."""
    fitted = ""
    for part in parts:
        longer = f"{fitted} {part}" if fitted else part
        if len(longer) > limit:
            break
        fitted = longer
    return fitted


@cache
def _phrase_terms(phrase: str) -> list[str]:
    """Phrases are ours and few."""
    return terms(phrase)


def _stem(word: str) -> str:
    return word if word[0].isdigit() else word[:_STEM_CHARACTERS]
