"""Nothing that a record holds can raise while it is read; what a decoder refuses is set aside."""

from typing import Any

import pytest
from aiokafka import ConsumerRecord

from chassis.errors import Crash, NeverRetry
from chassis.kafka.records import decode_all, first_offsets, next_offsets, to_record, untouched
from chassis.messages import Record


def raw(offset: int = 0, *, partition: int = 0, value: bytes | None = b"v", headers: Any = ()) -> Any:
    return ConsumerRecord("t", partition, offset, 1_000, 0, b"k", value, None, 1, 1, headers)


def value_of(record: Record) -> bytes:
    if record.value is None:
        raise NeverRetry("EMPTY", "no value")
    if record.value == b"bug":
        raise KeyError("a customer's words")
    if record.value == b"crash":
        raise Crash("misconfigured")
    return record.value


def test_null_and_bytes_that_are_no_text_are_taken() -> None:
    record = to_record(raw(value=None, headers=(("a", b"\xff"), ("b", None))))
    assert record.value is None
    assert record.headers == (("a", b"\xff"), ("b", b""))


def test_the_original_keeps_null_headers_for_the_dead_letters() -> None:
    [(_, value)] = untouched(raw(headers=(("b", None),))).headers
    assert value is None


def test_bad_records_are_set_aside_and_the_others_keep_their_order_and_source() -> None:
    raws = [raw(0, value=b"a"), raw(1, value=None), raw(2, value=b"bug"), raw(3, value=b"b")]
    decoded = decode_all(raws, value_of)
    assert decoded.values == [b"a", b"b"]
    assert [source.offset for source in decoded.sources] == [0, 3]
    assert [(source.offset, why.code) for source, why in decoded.rejected] == [(1, "EMPTY"), (2, "DECODE_FAILED")]


def test_an_unforeseen_error_does_not_quote_the_record() -> None:
    [(_, refusal)] = decode_all([raw(value=b"bug")], value_of).rejected
    assert "words" not in str(refusal)
    assert "KeyError" in refusal.message


def test_a_crash_is_not_set_aside() -> None:
    with pytest.raises(Crash):
        decode_all([raw(value=b"crash")], value_of)


def test_a_batch_spans_from_its_first_to_after_its_last_record_in_each_partition() -> None:
    raws = [raw(5), raw(6), raw(1, partition=1), raw(9)]
    assert first_offsets(raws) == {("t", 0): 5, ("t", 1): 1}
    assert next_offsets(raws) == {("t", 0): 10, ("t", 1): 2}
