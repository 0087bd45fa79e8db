"""Places in a text, which every network counts in a unit of its own, as places in code points, which we count."""

from bisect import bisect_left
from collections.abc import Callable
from itertools import accumulate
from typing import Final

ToCodePoints = Callable[[int], int]
"""Turns an offset of the network into code points; one inside a character is that character's end."""

_BEYOND_BMP: Final = 0xFFFF


def from_utf16(text: str) -> ToCodePoints:
    """For networks that count UTF-16 code units, such as Telegram."""
    return _converter([2 if ord(each) > _BEYOND_BMP else 1 for each in text])


def from_utf8(text: str) -> ToCodePoints:
    """For networks that count UTF-8 bytes, such as Bluesky."""
    return _converter([len(each.encode("utf-8", "surrogatepass")) for each in text])


def _converter(widths: list[int]) -> ToCodePoints:
    starts = list(accumulate(widths, initial=0))
    return lambda offset: min(bisect_left(starts, max(0, offset)), len(widths))
