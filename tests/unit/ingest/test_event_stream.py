"""Server-sent events, as the WHATWG standard has them, whole and in pieces."""

from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.event_stream import EventReader, EventTooLongError, ServerSentEvent, read_events

PARTS = st.sampled_from(
    ["data", "event", "id", "retry", ":", " ", "\n", "\r", "\r\n", "\n\n", "x", "\ufeff", "\0", "7", "data: y\n", "é"]
)


def events(*pieces: str) -> list[ServerSentEvent]:
    reader = EventReader()
    return [event for piece in pieces for event in reader.feed(piece)]


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        ("data: one\n\n", [("message", "one", "")]),
        ("event: update\ndata: {}\n\n", [("update", "{}", "")]),
        ("data: one\ndata: two\n\n", [("message", "one\ntwo", "")]),
        ("data\n\ndata\ndata\n\ndata:test", [("message", "", ""), ("message", "\n", "")]),
        ("data:  two spaces\n\n", [("message", " two spaces", "")]),
        ("\ufeffdata: marked\n\n", [("message", "marked", "")]),
        (":)\n: a comment\ndata: one\n:thump\n\n", [("message", "one", "")]),
        (
            "id: 7\ndata: a\n\ndata: b\n\nid\ndata: c\n\n",
            [("message", "a", "7"), ("message", "b", "7"), ("message", "c", "")],
        ),
        ("id: 7\n\ndata: a\n\n", [("message", "a", "7")]),
        ("id: 7\0\ndata: a\n\n", [("message", "a", "")]),
        ("event: lost\n\ndata: a\n\n", [("message", "a", "")]),
        ("Data: a\nfoo: b\ndata: c\n\n", [("message", "c", "")]),
        ("data: a\r\n\r\ndata: b\r\rdata: c\n\n", [("message", "a", ""), ("message", "b", ""), ("message", "c", "")]),
        ("data: cut sho", []),
        ("data: no empty line follows\n", []),
    ],
)
def test_a_stream_is_read_as_the_standard_says(stream: str, expected: list[tuple[str, str, str]]) -> None:
    assert list(read_events(stream)) == [ServerSentEvent(*each) for each in expected]


@given(st.lists(PARTS).map("".join), st.integers(1, 5))
def test_pieces_of_any_size_hold_the_same_events(stream: str, size: int) -> None:
    pieces = [stream[at : at + size] for at in range(0, len(stream), size)]
    assert events(*pieces) == events(stream) == list(read_events(stream))


def test_a_reader_knows_from_where_and_when_to_resume() -> None:
    reader = EventReader(last_id="41")
    assert next(reader.feed("data: a\n\n")).id == "41"
    assert list(reader.feed("retry: 2500\nretry: soon\nid: 42\n\nid: 43\ndata: b")) == []
    assert (reader.last_id, reader.retry_ms) == ("42", 2500)


@pytest.mark.parametrize("piece", ["x" * 10, "data: x\n"])
def test_an_event_that_does_not_end_is_refused_after_those_that_do(piece: str) -> None:
    reader = EventReader(max_event_characters=100)
    assert [each.data for each in reader.feed("data: a\n\n")] == ["a"]
    with pytest.raises(EventTooLongError):
        deque(event for _ in range(100) for event in reader.feed(piece))


def test_comments_alone_may_come_for_years() -> None:
    reader = EventReader(max_event_characters=100)
    assert [list(reader.feed(":thump\n")) for _ in range(200)] == [[]] * 200
