"""Business hours: when something is due that may take so long. Pure; reads no clock.

Times are whole seconds since 1970 in UTC. Deadlines never lie outside business hours, a later start is never due
earlier, and no deadline lies beyond the second year after the one in which it started.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

MINUTES_OF_DAY: Final = 24 * 60
_HORIZON_YEARS: Final = 3
_EARLIEST: Final = int(datetime(1972, 1, 1, tzinfo=UTC).timestamp())
_LATEST: Final = int(datetime(9990, 1, 1, tzinfo=UTC).timestamp())
_DAY: Final = timedelta(days=1)
_DAY_SECONDS: Final = 86_400


class Span(NamedTuple):
    """How long something may take: so many open days, then so many open seconds."""

    days: int = 0
    seconds: int = 0


class Window(NamedTuple):
    """Open from one minute of a day until another; 1440 is midnight at its end."""

    opens: int
    closes: int


def always_due(start: int, span: Span) -> int:
    """When something is due where every hour counts."""
    return start + span.days * _DAY_SECONDS + span.seconds


@dataclass(frozen=True)
class Calendar:
    """When a tenant works."""

    zone: ZoneInfo
    hours: tuple[tuple[Window, ...], ...]
    """Of each weekday, Monday first, in the order of the day."""
    holidays: frozenset[date] = frozenset()
    yearly_holidays: frozenset[tuple[int, int]] = frozenset()
    """Month and day."""
    _tables: dict[int, "_Openings"] = field(default_factory=dict, init=False, repr=False, compare=False)

    def due(self, start: int, span: Span) -> int:
        """When something is due that came in at `start`.

        A day is an open day: the time is as long after its opening as `start` was, and at its closing at the latest.
        What comes in while nobody works counts from the next opening. Where none is left every hour counts.
        """
        table = self._table(start)
        return table.due(start, span) if table else always_due(start, span)

    def is_open(self, on: date) -> bool:
        """Tell whether anybody works that day."""
        holiday = on in self.holidays or (on.month, on.day) in self.yearly_holidays
        return bool(self.hours[on.weekday()]) and not holiday

    def _table(self, start: int) -> "_Openings | None":
        """The openings from the year of `start` on; None where there are none, and for a time that no clock shows."""
        if not _EARLIEST <= start < _LATEST:
            return None
        year = datetime.fromtimestamp(start, UTC).year
        if year not in self._tables:
            self._tables[year] = _Openings(list(self._openings(year)))
        return self._tables[year] if self._tables[year].starts else None

    def _openings(self, year: int) -> Iterator[tuple[int, int, int]]:
        """Day, start and end of each opening, in order; no two overlap."""
        day, until = date(year - 1, 12, 30), date(year + _HORIZON_YEARS, 1, 1)
        while day < until:
            if self.is_open(day):
                yield from ((day.toordinal(), start, end) for start, end in self._openings_of(day))
            day += _DAY

    def _openings_of(self, day: date) -> Iterator[tuple[int, int]]:
        """When clocks on the wall show a time of opening; on a day when they are set there are two parts of it."""
        midnight = int(datetime.combine(day, time(), UTC).timestamp())
        for since, until, offset in self._parts(midnight - _DAY_SECONDS, midnight + 2 * _DAY_SECONDS):
            for window in self.hours[day.weekday()]:
                start, end = (midnight + 60 * minute - offset for minute in window)
                if max(start, since) < min(end, until):
                    yield max(start, since), min(end, until)

    def _parts(self, since: int, until: int) -> Iterator[tuple[int, int, int]]:
        """The times from `since` to `until` in which clocks are not set, each with how far they are ahead of UTC."""
        before, after = self._offset(since), self._offset(until)
        if before == after:
            yield since, until, before
            return
        changed = since + bisect_left(range(since, until), 1, key=lambda moment: int(self._offset(moment) != before))
        yield from ((since, changed, before), (changed, until, after))

    def _offset(self, moment: int) -> int:
        ahead = datetime.fromtimestamp(moment, self.zone).utcoffset()
        return ahead.days * _DAY_SECONDS + ahead.seconds if ahead else 0


class _Openings:
    """The openings of a few years, ready to be searched."""

    def __init__(self, openings: list[tuple[int, int, int]]) -> None:
        self.starts = [start for _, start, _ in openings]
        self._ends = [end for _, _, end in openings]
        self._worked: list[int] = []
        """Open seconds until the end of each."""
        self._day_of: list[int] = []
        """The number of the open day of each."""
        self._first_of: list[int] = []
        """The first opening of each open day."""
        worked, last_day = 0, None
        for at, (day, start, end) in enumerate(openings):
            worked += end - start
            self._worked.append(worked)
            if day != last_day:
                self._first_of.append(at)
                last_day = day
            self._day_of.append(len(self._first_of) - 1)

    def due(self, start: int, span: Span) -> int:
        if self._at_work(start) is None:
            return always_due(start, span)
        moment = self._after_days(start, span.days) if span.days else start
        return self._after_seconds(moment, span.seconds) if span.seconds else moment

    def _at_work(self, moment: int) -> tuple[int, int] | None:
        """The opening in which work on what came in at `moment` begins, and when; None after the last one."""
        at = bisect_right(self.starts, moment) - 1
        if at >= 0 and moment < self._ends[at]:
            return at, moment
        return (at + 1, self.starts[at + 1]) if at + 1 < len(self.starts) else None

    def _after_days(self, start: int, days: int) -> int:
        found = self._at_work(start)
        if found is None:
            return self._ends[-1]
        at, moment = found
        day = self._day_of[at]
        since_opening = moment - self.starts[self._first_of[day]]
        if day + days >= len(self._first_of):
            return self._ends[-1]
        first = self._first_of[day + days]
        return self._within_day(first, self.starts[first] + since_opening)

    def _within_day(self, first: int, moment: int) -> int:
        """`moment`, or the next one of the day that begins with the opening `first` in which somebody works."""
        at = first
        while moment > self._ends[at] and at + 1 < len(self._day_of) and self._day_of[at + 1] == self._day_of[first]:
            at += 1
        return min(max(moment, self.starts[at]), self._ends[at])

    def _after_seconds(self, start: int, seconds: int) -> int:
        found = self._at_work(start)
        if found is None:
            return self._ends[-1]
        at, moment = found
        wanted = self._worked[at] - (self._ends[at] - moment) + seconds
        ends_in = bisect_left(self._worked, wanted)
        if ends_in == len(self._worked):
            return self._ends[-1]
        return self._ends[ends_in] - (self._worked[ends_in] - wanted)
