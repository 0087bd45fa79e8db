"""Which rows are trained on, how much each counts, how it may be worded, and which only calibrate."""

import zlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from services.routing.calibration import Floats
from services.routing.judgement import Category
from services.routing.model.datasets import Row

SHIP_SHARE = 0.35
"""What all public sets together weigh beside the corpus, whose rows weigh 1: they have mostly one category each."""

HELD_OUT_PERCENT = 10
_UNASKED_PERCENT = 25
_UNPOINTED_PERCENT = 10
_SMALL_PERCENT = 10
_WITH_STARS_EVERY = 4
_WITH_VENUE_EVERY = 2


def held_out(row: Row) -> bool:
    """Whether a row calibrates instead of training."""
    return bool(_draw(row, 0) % 100 < HELD_OUT_PERCENT)


def row_weights(rows: Sequence[Row]) -> Floats:
    """Equal weight for each category; a row of the corpus counts 1 before, and the sets share by root of their size."""
    sizes = Counter(row.source for row in rows if not row.is_corpus)
    corpus = sum(row.is_corpus for row in rows)
    roots = sum(np.sqrt(size) for size in sizes.values())
    shares = {name: SHIP_SHARE * corpus * np.sqrt(size) / roots / size for name, size in sizes.items()}
    counts = np.array([1.0 if row.is_corpus else shares[row.source] for row in rows])
    for category in Category:
        of_category = np.array([row.category is category for row in rows], dtype=np.bool_)
        if of_category.any():
            counts[of_category] *= len(rows) / len(Category) / counts[of_category].sum()
    return counts


def varied(row: Row, wording: int = 0) -> Row:
    """Some rows lose punctuation or capitals, as in hasty posts, some keep their stars, and half of them their venue.

    None of these may be relied on.
    """
    drawn = _draw(row, 1 + wording)
    draw = drawn % 100
    rating = row.rating if _draw(row, 1) // 100 % _WITH_STARS_EVERY == 0 else None
    venue = row.text.venue if drawn // 100 % _WITH_VENUE_EVERY == 0 else None
    text = row.text.text
    if draw < _UNASKED_PERCENT:
        text = text.replace("?", "").replace("¿", "")
    elif draw < _UNASKED_PERCENT + _UNPOINTED_PERCENT:
        text = text.replace(".", "").replace(",", "").replace("!", "")
    elif draw < _UNASKED_PERCENT + _UNPOINTED_PERCENT + _SMALL_PERCENT:
        text = text.lower()
    return replace(row, text=replace(row.text, text=text, rating=rating, venue=venue))


def _draw(row: Row, salt: int) -> int:
    """A number that looks random and is the same in every run."""
    return zlib.crc32(row.text.text.encode("utf-8", "surrogatepass"), salt * 0x9E37)
