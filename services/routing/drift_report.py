"""The classifier's report: tallies by day, network or language, each beside the period before it. Pure."""

import enum
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final, NamedTuple

from services.routing.drift import Tally, moved, total

DAYS_BEFORE_A_DAY: Final = 7
"""A day is compared with the week before it, so that a Sunday is not news."""


class Dimension(enum.StrEnum):
    """What the report is broken down by."""

    DAY = "day"
    NETWORK = "network"
    LANGUAGE = "language"


class Cell(NamedTuple):
    """The smallest thing that is counted."""

    day: date
    """In UTC, of when the post was accepted."""
    network: str
    language: str
    """BCP 47 primary subtag, or und."""


@dataclass(frozen=True)
class Row:
    """One line of the report."""

    group: Mapping[str, str]
    """By the words of `Dimension`."""
    tally: Tally
    before: Tally
    """Of the same network and language: the week before the day, or as many days before the range."""

    @property
    def moved(self) -> list[str]:
        """What moved beyond its bound."""
        return moved(self.tally, self.before)


def first_day(since: date, until: date, by: Collection[Dimension]) -> date:
    """Where the cells must begin, so that each row has its period before."""
    return since - (timedelta(days=DAYS_BEFORE_A_DAY) if Dimension.DAY in by else until - since)


def rows(cells: Mapping[Cell, Tally], by: Collection[Dimension], since: date, until: date) -> list[Row]:
    """The report from `since` to the day before `until`, in the order of the dimensions."""
    groups: dict[tuple[str, ...], dict[date, list[Tally]]] = defaultdict(lambda: defaultdict(list))
    places = [each for each in (Dimension.NETWORK, Dimension.LANGUAGE) if each in by]
    for cell, tally in cells.items():
        groups[tuple(getattr(cell, place) for place in places)][cell.day].append(tally)
    return [
        Row(
            _named(by, start, dict(zip(places, group, strict=True))),
            now,
            _between(days, first_day(start, end, by), start),
        )
        for start, end in _periods(by, since, until)
        for group, days in sorted(groups.items())
        if (now := _between(days, start, end)).posts
    ]


def _periods(by: Collection[Dimension], since: date, until: date) -> list[tuple[date, date]]:
    if Dimension.DAY not in by:
        return [(since, until)]
    days = [since + timedelta(days=number) for number in range((until - since).days)]
    return [(day, day + timedelta(days=1)) for day in days]


def _between(days: Mapping[date, list[Tally]], start: date, end: date) -> Tally:
    return total(tally for day, tallies in days.items() if start <= day < end for tally in tallies)


def _named(by: Collection[Dimension], day: date, places: Mapping[Dimension, str]) -> dict[str, str]:
    of_day = {Dimension.DAY.value: day.isoformat()} if Dimension.DAY in by else {}
    return of_day | {place.value: word for place, word in places.items()}
