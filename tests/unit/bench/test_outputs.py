"""The check that a fast contestant also did its work: it must be able to fail."""

import pytest

from bench.routing.outputs import WrongOutput, check, places
from chassis.messages import Outgoing, Record

INPUTS = [Outgoing("posts", b"a", b"", [("ce_id", cause)]) for cause in (b"1", b"2", b"3")]
PLACES = places(INPUTS)


def _written(*causes: bytes, topic: str = "questions", key: bytes = b"a") -> list[Record]:
    return [Record(topic, 0, offset, 0, key, b"", [("ce_causationid", cause)]) for offset, cause in enumerate(causes)]


def test_every_post_once_and_in_order_is_right() -> None:
    check(_written(b"1", b"2", b"3"), PLACES, expected=3)


def test_topics_and_keys_have_an_order_each() -> None:
    written = [*_written(b"3"), *_written(b"1", topic="complaints"), *_written(b"2", key=b"b")]
    check(written, PLACES, expected=3)


@pytest.mark.parametrize(
    ("causes", "problem"),
    [
        pytest.param([b"1", b"3"], "2 records of 2 posts", id="lost"),
        pytest.param([b"1", b"2", b"2", b"3"], "4 records of 3 posts", id="doubled"),
        pytest.param([b"1", b"2", b"2"], "3 records of 2 posts", id="lost and doubled"),
        pytest.param([b"2", b"1", b"3"], "out of order", id="out of order"),
    ],
)
def test_what_is_wrong_is_told(causes: list[bytes], problem: str) -> None:
    with pytest.raises(WrongOutput, match=problem):
        check(_written(*causes), PLACES, expected=3)
