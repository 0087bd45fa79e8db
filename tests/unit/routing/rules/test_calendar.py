"""When things are due: tables of ordinary weeks, and what holds of any calendar."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.routing.rules.calendar import MINUTES_OF_DAY, Calendar, Span, Window, always_due
from services.routing.rules.parsing import in_order

ROME = ZoneInfo("Europe/Rome")
NINE_TO_SIX = (Window(9 * 60, 18 * 60),)
OFFICE = Calendar(
    ROME,
    (NINE_TO_SIX, (Window(9 * 60, 13 * 60), Window(14 * 60, 18 * 60)), NINE_TO_SIX, NINE_TO_SIX, NINE_TO_SIX, (), ()),
    holidays=frozenset({date(2026, 11, 25)}),
    yearly_holidays=frozenset({(12, 25)}),
)
MINUTE, HOUR = 60, 3600


def _at(text: str, zone: ZoneInfo = ROME) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp())


def _local(seconds: int, zone: ZoneInfo = ROME) -> str:
    return datetime.fromtimestamp(seconds, zone).isoformat(timespec="minutes")[:16]


@pytest.mark.parametrize(
    ("heard", "span", "due"),
    [
        pytest.param("2026-11-23T10:00", Span(0, 2 * HOUR), "2026-11-23T12:00", id="within a day"),
        pytest.param("2026-11-23T17:00", Span(0, HOUR), "2026-11-23T18:00", id="until closing"),
        pytest.param("2026-11-23T17:00", Span(0, 2 * HOUR), "2026-11-24T10:00", id="over night"),
        pytest.param("2026-11-24T12:30", Span(0, HOUR), "2026-11-24T14:30", id="over lunch"),
        pytest.param("2026-11-24T13:30", Span(0, HOUR), "2026-11-24T15:00", id="from lunch"),
        pytest.param("2026-11-24T17:00", Span(0, 2 * HOUR), "2026-11-26T10:00", id="over a holiday"),
        pytest.param("2026-11-27T17:59", Span(0, 2 * MINUTE), "2026-11-30T09:01", id="over a weekend"),
        pytest.param("2026-11-28T12:00", Span(0, HOUR), "2026-11-30T10:00", id="on a Saturday"),
        pytest.param("2026-11-23T18:00", Span(0, HOUR), "2026-11-24T10:00", id="at closing"),
        pytest.param("2026-12-24T17:00", Span(0, 2 * HOUR), "2026-12-28T10:00", id="over a yearly holiday"),
        pytest.param("2026-11-23T10:15", Span(1), "2026-11-24T10:15", id="one day"),
        pytest.param("2026-11-23T13:30", Span(1), "2026-11-24T14:00", id="one day, to lunch"),
        pytest.param("2026-11-23T10:15", Span(2), "2026-11-26T10:15", id="two days over a holiday"),
        pytest.param("2026-11-28T10:15", Span(1), "2026-12-01T09:00", id="one day from a Saturday"),
        pytest.param("2026-11-23T17:00", Span(1, 2 * HOUR), "2026-11-26T10:00", id="a day and two hours"),
        pytest.param("2026-10-23T17:00", Span(0, 2 * HOUR), "2026-10-26T10:00", id="over the end of summer time"),
        pytest.param("2026-12-31T17:00", Span(0, 2 * HOUR), "2027-01-01T10:00", id="into the next year"),
    ],
)
def test_due(heard: str, span: Span, due: str) -> None:
    assert _local(OFFICE.due(_at(heard), span)) == due


def test_hours_of_a_night_shift_count_as_they_pass_when_clocks_change() -> None:
    always = Calendar(ROME, ((Window(0, MINUTES_OF_DAY),),) * 7)
    before_spring, before_autumn = _at("2026-03-28T22:00"), _at("2026-10-24T22:00")
    assert always.due(before_spring, Span(0, 10 * HOUR)) == before_spring + 10 * HOUR
    assert always.due(before_autumn, Span(0, 10 * HOUR)) == before_autumn + 10 * HOUR


@pytest.mark.parametrize("opens", [2 * 60, 2 * 60 + 30])
def test_an_opening_within_the_hour_that_spring_skips_is_none(opens: int) -> None:
    night = Calendar(ROME, ((Window(opens, opens + 30),),) * 7)
    due = night.due(_at("2026-03-29T00:00"), Span(0, MINUTE))
    assert due == _at("2026-03-30T00:00") + (opens + 1) * MINUTE


def test_an_opening_within_the_hour_that_autumn_repeats_is_open_twice() -> None:
    night = Calendar(ROME, ((Window(2 * 60, 2 * 60 + 30),),) * 7)
    first = _at("2026-10-25T02:00")
    assert night.due(first, Span(0, 30 * MINUTE)) == first + 30 * MINUTE
    assert night.due(first, Span(0, 40 * MINUTE)) == first + HOUR + 10 * MINUTE


def test_after_the_last_opening_every_hour_counts_and_nothing_is_due_before_it_came() -> None:
    closed_for_good = frozenset(date(2026, 1, 2) + timedelta(days=number) for number in range(1500))
    once = Calendar(ROME, (NINE_TO_SIX,) * 7, holidays=closed_for_good)
    assert _local(once.due(_at("2026-01-01T17:30"), Span(0, HOUR))) == "2026-01-01T18:00"
    for span in (Span(1), Span(0, HOUR), Span(1, HOUR)):
        assert once.due(_at("2026-01-01T19:00"), span) == always_due(_at("2026-01-01T19:00"), span)


def test_where_no_opening_is_left_every_hour_counts() -> None:
    days = (date(2000, 1, 1) + timedelta(days=number) for number in range(366))
    never = Calendar(ROME, (NINE_TO_SIX,) * 7, yearly_holidays=frozenset((day.month, day.day) for day in days))
    assert never.due(_at("2026-11-23T10:00"), Span(1, HOUR)) == always_due(_at("2026-11-23T10:00"), Span(1, HOUR))


minutes = st.integers(0, MINUTES_OF_DAY // 5).map(lambda five: five * 5)


@st.composite
def windows(draw: st.DrawFn) -> tuple[Window, ...]:
    edges = sorted(draw(st.lists(minutes, max_size=6, unique=True)))
    return in_order(Window(*pair) for pair in list(pairwise(edges))[::2])


spans = st.builds(Span, st.integers(0, 20), st.integers(0, 100).map(lambda count: count * 7 * MINUTE)).filter(any)
calendars = st.builds(
    Calendar,
    st.sampled_from(["Europe/Rome", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "America/Santiago"]).map(
        ZoneInfo
    ),
    st.tuples(*[windows()] * 7).filter(any),
    st.frozensets(st.dates(date(2026, 1, 1), date(2027, 12, 31)), max_size=5),
    st.frozensets(st.tuples(st.integers(1, 12), st.integers(1, 28)), max_size=3),
)
moments = st.integers(_at("2026-01-01T00:00", ZoneInfo("UTC")), _at("2027-12-31T00:00", ZoneInfo("UTC")))


def _is_business_time(calendar: Calendar, moment: int) -> bool:
    """Asked of the clock on the wall: without any of the tables that deadlines are found in."""
    on_the_wall = datetime.fromtimestamp(moment, UTC).astimezone(calendar.zone)
    day, minute = on_the_wall.date(), on_the_wall.hour * 60 + on_the_wall.minute
    return calendar.is_open(day) and any(
        window.opens <= minute < window.closes for window in calendar.hours[day.weekday()]
    )


@given(calendars, moments, spans)
def test_a_deadline_lies_in_business_hours_and_after_its_start(calendar: Calendar, heard: int, span: Span) -> None:
    due = calendar.due(heard, span)
    assert due > heard or (span.days and due >= heard)
    assert _is_business_time(calendar, due) or _is_business_time(calendar, due - 1)


@given(calendars, moments, st.integers(0, 10 * 24 * HOUR), spans)
def test_what_came_later_is_due_no_earlier(calendar: Calendar, heard: int, later: int, span: Span) -> None:
    assert calendar.due(heard, span) <= calendar.due(heard + later, span)


@given(calendars, moments, spans, st.integers(0, 3), st.integers(0, 30 * HOUR))
def test_who_has_longer_has_no_less_time(
    calendar: Calendar, heard: int, span: Span, more_days: int, more_seconds: int
) -> None:
    longer = Span(span.days + more_days, span.seconds + more_seconds)
    assert calendar.due(heard, span) <= calendar.due(heard, longer)


@given(calendars, moments, st.integers(1, 50), st.integers(1, 50))
def test_hours_add_up(calendar: Calendar, heard: int, first: int, then: int) -> None:
    in_two = calendar.due(calendar.due(heard, Span(0, first * HOUR)), Span(0, then * HOUR))
    assert calendar.due(heard, Span(0, (first + then) * HOUR)) == in_two
