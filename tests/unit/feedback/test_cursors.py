"""Cursors and page tokens: what is sealed comes back, and only for the same question of the same tenant."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chassis.api_errors import ApiError
from chassis.cursor import CursorCodec
from services.feedback.cursors import Cursors, Place, Position

CODEC = CursorCodec([b"k" * 32])
numbers = st.integers(0, 2**63 - 1)
times = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001 - bounds are naive


@given(epoch=numbers, seq=numbers)
def test_a_position_comes_back(epoch: int, seq: int) -> None:
    cursors = Cursors(CODEC, "insights", "acme")
    assert cursors.open(cursors.seal(Position(epoch, seq))) == (epoch, seq)


@given(time=times, name=st.text())
def test_a_place_comes_back_to_the_microsecond(time: datetime, name: str) -> None:
    cursors = Cursors(CODEC, "posts", "acme")
    name = name.encode("utf-8", "ignore").decode()
    assert cursors.open_page_token(cursors.seal_page_token(Place(time, name))) == (time, name)


@pytest.mark.parametrize(
    "other",
    [
        Cursors(CODEC, "insights", "globex", "network x"),
        Cursors(CODEC, "insights", "acme", "network y"),
        Cursors(CODEC, "posts", "acme", "network x"),
        Cursors(CursorCodec([b"q" * 32]), "insights", "acme", "network x"),
    ],
)
def test_another_question_does_not_open_it(other: Cursors) -> None:
    cursor = Cursors(CODEC, "insights", "acme", "network x").seal(Position(1, 2))
    with pytest.raises(ApiError, match="CURSOR_INVALID"):
        other.open(cursor)
