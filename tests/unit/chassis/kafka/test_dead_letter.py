"""A dead letter is the untouched original with the reason beside it."""

from datetime import UTC, datetime

from chassis.errors import NeverRetry
from chassis.kafka.dead_letters import dead_letter
from chassis.kafka.records import unexpected
from chassis.messages import Record

AT = datetime(2026, 1, 2, 3, 4, 5, 678_901, tzinfo=UTC)
RECORD = Record("posts", 3, 42, 0, b"key", b"\x00\xff", (("ce_id", b"7"), ("odd", b"\xff")))
REFUSAL = NeverRetry("TRUNCATED", "the message ends early")


def test_the_original_is_untouched() -> None:
    letter = dead_letter(RECORD, "routing", REFUSAL, AT)
    assert (letter.topic, letter.key, letter.value) == ("posts.routing.dlq", b"key", b"\x00\xff")
    assert tuple(letter.headers[:2]) == RECORD.headers


def test_the_reason_stands_in_headers() -> None:
    headers = dict(dead_letter(RECORD, "routing", REFUSAL, AT).headers)
    assert {name: value for name, value in headers.items() if name.startswith("__dlq.")} == {
        "__dlq.errors.topic": b"posts",
        "__dlq.errors.partition": b"3",
        "__dlq.errors.offset": b"42",
        "__dlq.errors.group": b"routing",
        "__dlq.errors.class": b"NeverRetry",
        "__dlq.errors.code": b"TRUNCATED",
        "__dlq.errors.message": b"the message ends early",
        "__dlq.errors.first_failed_at": b"2026-01-02T03:04:05.678+00:00",
    }


def test_null_stays_null() -> None:
    letter = dead_letter(Record("posts", 0, 0, 0, None, None, ()), "g", REFUSAL, AT)
    assert letter.key is None
    assert letter.value is None


def test_the_class_is_that_of_the_error_beneath() -> None:
    letter = dead_letter(RECORD, "g", unexpected("DECODE_FAILED", KeyError("text")), AT)
    assert dict(letter.headers)["__dlq.errors.class"] == b"KeyError"


def test_reasons_of_an_earlier_time_are_replaced() -> None:
    once = dead_letter(RECORD, "g", REFUSAL, AT)
    replayed = Record("posts", 1, 50, 0, once.key, once.value, once.headers)
    twice = dead_letter(replayed, "g", REFUSAL, AT)
    assert [value for name, value in twice.headers if name == "__dlq.errors.offset"] == [b"50"]
