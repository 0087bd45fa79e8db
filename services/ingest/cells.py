"""The cells of a table as values: times, numbers and flags as people and spreadsheets write them."""

import mimetypes
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, tzinfo
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from services.ingest.payload import Node, read_time

# Other lengths may be dates without marks: 20261120, 202611200900.
_SECONDS: Final = re.compile(r"\d{10}(\.\d{1,9})?")
_MILLISECONDS: Final = re.compile(r"\d{13}")
_ZONED: Final = re.compile(r"(Z|UTC|GMT|[+-]\d{2}:?\d{2})\s*\Z", re.IGNORECASE)
_BY_DAY: Final = re.compile(
    r"(?P<first>\d{1,2})(?P<mark>[./-])(?P<second>\d{1,2})(?P=mark)(?P<year>\d{4})"
    r"(?:[ ,T]+(?P<hour>\d{1,2})[:.](?P<minute>\d{2})(?:[:.](?P<s>\d{2}))?(?: ?(?P<half>[AaPp])\.?[Mm]\.?)?)?"
)
_MONTHS: Final = 12
_MEDIA: Final = frozenset({"image", "video", "audio"})


class CellError(ValueError):
    """A cell is not what its field holds; the message says what would be."""


class TimeForm(NamedTuple):
    """How a table writes times, where it does not say so itself."""

    format: str | None = None
    """As of `datetime.strptime`, such as "%d/%m/%Y %H:%M"."""
    zone: tzinfo = UTC
    """Of times without a zone."""


def time_of(cell: str, form: TimeForm) -> datetime:
    """Read RFC 3339, a time of an e-mail, seconds or milliseconds since 1970, 20.11.2026 09:00, or the form's own."""
    time = _formatted(cell, form.format) if form.format else _recognised(cell)
    return time if time.tzinfo else time.replace(tzinfo=form.zone)


def _formatted(cell: str, wanted: str) -> datetime:
    try:
        return datetime.strptime(cell, wanted)  # noqa: DTZ007 - the caller adds the zone of the table
    except ValueError:
        raise CellError(f"{cell!r} is no time of the form {wanted}") from None


def _recognised(cell: str) -> datetime:
    if by_day := _BY_DAY.fullmatch(cell):
        return _by_day(cell, by_day)
    if _SECONDS.fullmatch(cell):
        time = Node(cell).seconds()
    elif _MILLISECONDS.fullmatch(cell):
        time = Node(cell).milliseconds()
    else:
        time = read_time(cell)
        # read_time takes UTC where no zone is told; here the table may be of another.
        time = time.replace(tzinfo=None) if time and not _ZONED.search(cell) else time
    if time is None:
        raise CellError(f"{cell!r} is no time that is recognised: give time_format, or write 2026-11-20T09:00:00Z")
    return time


def _by_day(cell: str, match: "re.Match[str]") -> datetime:
    first, second, hour = int(match["first"]), int(match["second"]), int(match["hour"] or 0)
    if match["mark"] == "/" and max(first, second) <= _MONTHS and first != second:
        raise CellError(f"{cell!r} may be day/month or month/day: give time_format, such as %d/%m/%Y %H:%M")
    month_first = match["mark"] == "/" and second > _MONTHS
    day, month = (second, first) if month_first else (first, second)
    if match["half"]:
        hour = hour % 12 + (12 if match["half"] in "pP" else 0)
    try:
        return datetime(int(match["year"]), month, day, hour, int(match["minute"] or 0), int(match["s"] or 0))  # noqa: DTZ001 - see time_of
    except ValueError:
        raise CellError(f"{cell!r} is no time of the calendar") from None


def _integer(cell: str) -> int:
    number = Node(cell).integer()
    if number is None:
        raise CellError(f"{cell!r} is no whole number")
    return number


def _number(cell: str) -> float:
    number = Node(cell.replace(",", ".", 1)).number()
    if number is None:
        raise CellError(f"{cell!r} is no number")
    return number


def _flag(cell: str) -> bool:
    flag = Node(cell).flag()
    if flag is None:
        raise CellError(f"{cell!r} is neither true nor false")
    return flag


def _word(cell: str) -> str:
    return cell.lower()


def _media(cell: str) -> list[dict[str, str]]:
    """Addresses, apart by white space, of what their ends say."""
    return [{"kind": _kind(address), "url": address} for address in cell.split()]


def _kind(address: str) -> str:
    try:
        guessed = mimetypes.guess_type(urlsplit(address).path)[0] or ""
    except ValueError:
        return "file"
    kind = guessed.partition("/")[0]
    return kind if kind in _MEDIA else "file"


READERS: Final[Mapping[str, Callable[[str], Any]]] = {
    "network": _word,
    "kind": _word,
    "change": _word,
    "revision": _integer,
    "own": _flag,
    "author.verified": _flag,
    "rating": _number,
    "followers": _integer,
    "views": _integer,
    "media": _media,
}
"""How a cell becomes the value of a field; those that are not here are texts, but for `create_time`."""
