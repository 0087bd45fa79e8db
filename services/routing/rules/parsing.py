"""Single values of a file of rules: spans, times of opening, dates. Each says what is wrong by a ValueError."""

import re
from collections.abc import Iterable
from datetime import date
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from services.routing.rules.calendar import MINUTES_OF_DAY, Span, Window
from services.routing.rules.model import LANGUAGE_SKILL

A_NAME: Final = "a name of lower-case letters, digits and . _ / -, such as complaints/it"
A_NETWORK: Final = "the name of a network, such as x (docs/networks.md)"
MAX_SKILL_CHARACTERS: Final = 63
MAX_DAYS: Final = 90
MAX_SECONDS: Final = 2000 * 3600
NAME: Final = re.compile(r"[a-z0-9][a-z0-9_./-]{0,62}")
NETWORK: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
"""As ingest takes it."""
_SPAN: Final = re.compile(r"(?:(\d{1,4})d)?(?:(\d{1,4})h)?(?:(\d{1,6})m)?")
_WINDOW: Final = re.compile(r"(\d{2}):(\d{2})\s*-\s*(\d{2}):(\d{2})")
_LEAP_YEAR: Final = 2000


def parse_name(text: str) -> str:
    """Read what a queue, a team or a rule is called."""
    if not NAME.fullmatch(text):
        raise ValueError(f"must be {A_NAME}")
    return text


def parse_network(text: str) -> str:
    """Read what a network is called."""
    if not NETWORK.fullmatch(text):
        raise ValueError(f"must be {A_NETWORK}")
    return text


def parse_skill(text: str) -> str:
    """Read a skill: a language, a word of the tenant's own, or the language of the post."""
    if text.startswith("$") and text != LANGUAGE_SKILL:
        raise ValueError(f"must be a word, or {LANGUAGE_SKILL} for the language of the post")
    if text != text.strip() or len(text) > MAX_SKILL_CHARACTERS or not text.isprintable():
        raise ValueError(f"must have {MAX_SKILL_CHARACTERS} characters at most, on one line and no space around it")
    return text


def parse_span(text: str) -> Span:
    """Read "30m", "4h", "1h30m", "2d", "1d4h"."""
    found = _SPAN.fullmatch(text)
    if not text or not found:
        raise ValueError("must be a time such as 30m, 4h, 1h30m or 2d")
    days, hours, minutes = (int(part or 0) for part in found.groups())
    span = Span(days, hours * 3600 + minutes * 60)
    if span == Span():
        raise ValueError("must be longer than nothing: at least 1m")
    if span.days > MAX_DAYS or span.seconds > MAX_SECONDS:
        raise ValueError(f"must be {MAX_DAYS}d and {MAX_SECONDS // 3600}h at most")
    return span


def parse_window(text: str) -> Window:
    """Read "09:00-18:00"."""
    found = _WINDOW.fullmatch(text)
    if not found:
        raise ValueError("must be times such as 09:00-18:00")
    hour, minute, last_hour, last_minute = map(int, found.groups())
    window = Window(hour * 60 + minute, last_hour * 60 + last_minute)
    if max(minute, last_minute) >= 60 or window.closes > MINUTES_OF_DAY:  # noqa: PLR2004 - minutes of an hour
        raise ValueError("must be times of a day, from 00:00 to 24:00")
    if window.opens >= window.closes:
        raise ValueError("must end after it begins; over midnight: until 24:00, and from 00:00 on the next day")
    return window


def in_order(windows: Iterable[Window]) -> tuple[Window, ...]:
    """The openings of a day, the earliest first; those that touch become one."""
    found: list[Window] = []
    for window in sorted(windows):
        if found and window.opens < found[-1].closes:
            raise ValueError("times of opening overlap: let each begin after the one before ends")
        if found and window.opens == found[-1].closes:
            window = Window(found.pop().opens, window.closes)  # noqa: PLW2901 - it grows
        found.append(window)
    return tuple(found)


def parse_holiday(text: str) -> date | tuple[int, int]:
    """Read "2026-12-25", or "12-25" for every year."""
    try:
        if re.fullmatch(r"\d{2}-\d{2}", text):
            day = date.fromisoformat(f"{_LEAP_YEAR}-{text}")
            return day.month, day.day
        if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            return date.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"is no day of the calendar: {error}") from error
    raise ValueError("must be a date such as 2026-12-25, or 12-25 for every year")


def parse_zone(text: str) -> ZoneInfo:
    """Read "Europe/Rome"."""
    try:
        return ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError("is no time zone of the IANA database; give one such as Europe/Rome") from error
