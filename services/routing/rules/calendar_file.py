"""The calendar of a file of rules: its time zone, hours and holidays."""

from datetime import date
from typing import Final

from services.routing.rules import parsing
from services.routing.rules.calendar import Calendar, Window
from services.routing.rules.document import Document, Value

ALWAYS: Final = "always"
FIELDS: Final = ("time_zone", "hours", "holidays")
WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
MAX_HOLIDAYS: Final = 1000
_TIMES: Final = "times such as 09:00-18:00"
_NEEDED: Final = {"time_zone": "such as Europe/Rome", "hours": "as in monday: 09:00-18:00"}


def read_calendar(document: Document, value: Value) -> Calendar | None:
    """Read a calendar; None for `always`, and for one with problems."""
    if document.says(value, ALWAYS):
        return None
    fields = document.mapping(value, FIELDS, _NEEDED)
    hours = _hours(document, fields["hours"]) if "hours" in fields else ()
    holidays = _holidays(document, fields["holidays"]) if "holidays" in fields else []
    zone = fields.get("time_zone")
    known_zone = document.parsed(zone, parsing.parse_zone, "a time zone such as Europe/Rome") if zone else None
    if known_zone is None or not any(hours):
        return None
    return Calendar(
        known_zone,
        hours,
        holidays=frozenset(day for day in holidays if isinstance(day, date)),
        yearly_holidays=frozenset(day for day in holidays if not isinstance(day, date)),
    )


def _hours(document: Document, value: Value) -> tuple[tuple[Window, ...], ...]:
    days = document.mapping(value, WEEKDAYS)
    if not days:
        document.wrong(value, "must say when anybody works, as in monday: 09:00-18:00")
    return tuple(_windows(document, days[day]) if day in days else () for day in WEEKDAYS)


def _windows(document: Document, value: Value) -> tuple[Window, ...]:
    given = document.one_or_more(value, _TIMES)
    if not given and not value.node.value:
        document.wrong(value, "has no time of opening: leave the day out where nobody works")
    windows = [document.parsed(each, parsing.parse_window, _TIMES) for each in given]
    try:
        return parsing.in_order(window for window in windows if window)
    except ValueError as error:
        document.wrong(value, str(error))
        return ()


def _holidays(document: Document, value: Value) -> list[date | tuple[int, int]]:
    given = document.items(value, "dates such as 2026-12-25")
    if len(given) > MAX_HOLIDAYS:
        document.wrong(value, f"has {len(given)} days and may have {MAX_HOLIDAYS}")
    days = [document.parsed(each, parsing.parse_holiday, "a date such as 2026-12-25") for each in given]
    return [day for day in days if day is not None]
