"""Which rows are trained on, how much each counts, how it may be worded, and which only calibrate."""

import zlib
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from services.routing.calibration import Floats
from services.routing.judgement import Category, Text
from services.routing.model.datasets import CORPUS, Row

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
    """Equal weight for each category; a row of our own counts 1 before, and the sets share by root of their size."""
    sizes = Counter(row.source for row in rows if row.is_public)
    own = sum(not row.is_public for row in rows)
    roots = sum(np.sqrt(size) for size in sizes.values())
    shares = {name: SHIP_SHARE * own * np.sqrt(size) / roots / size for name, size in sizes.items()}
    counts = np.array([shares[row.source] if row.is_public else 1.0 for row in rows])
    for category in Category:
        of_category = np.array([row.category is category for row in rows], dtype=np.bool_)
        if of_category.any():
            counts[of_category] *= len(rows) / len(Category) / counts[of_category].sum()
    return counts


def learnt(rows: Sequence[Row]) -> list[Row]:
    """The rows that train: those that tell something and do not calibrate."""
    return [row for row in rows if told(row) and not held_out(row)]


def few(rows: Sequence[Row], most: int) -> list[Row]:
    """The corpus, and of each public set at most so many rows: they say much the same."""
    by_source: dict[str, list[Row]] = defaultdict(list)
    for row in sorted(rows, key=lambda row: _draw(row, 0)):
        by_source[row.source].append(row)
    return [row for name, own in sorted(by_source.items()) for row in (own if name == CORPUS else own[:most])]


def told(row: Row) -> bool:
    """Whether a row tells more than its language."""
    return row.category is not None or row.sentiment is not None or row.toxic is not None


def wordings(rows: Sequence[Row], epochs: int) -> list[list[Text]]:
    """Another wording of each row in every epoch."""
    return [[varied(row, epoch).text for row in rows] for epoch in range(epochs)]


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
