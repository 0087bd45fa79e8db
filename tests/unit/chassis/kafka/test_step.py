"""A pipe's step refuses the bad records and no other, whatever fails and wherever."""

from collections.abc import Sequence
from typing import Any

import pytest
from aiokafka import ConsumerRecord

from chassis.errors import Crash, NeverRetry
from chassis.kafka.step import Step
from chassis.messages import Outgoing, Record

LIMIT = 10_000


def raws(*values: bytes) -> list[Any]:
    return [ConsumerRecord("t", 0, n, 0, 0, b"k", value, None, 1, 1, ()) for n, value in enumerate(values)]


def decode(record: Record) -> bytes:
    if record.value == b"undecodable":
        raise NeverRetry("UNDECODABLE", "no")
    return record.value or b""


def transform(values: Sequence[bytes]) -> Sequence[Outgoing]:
    for value in values:
        if value == b"refused":
            raise NeverRetry("REFUSED", "no")
        if value == b"bug":
            raise ZeroDivisionError
        if value == b"crash":
            raise Crash("no model")
    return [Outgoing("out", b"k", value * LIMIT if value == b"huge" else value) for value in values]


STEP = Step(decode, LIMIT)


def test_good_records_are_transformed_in_one_call() -> None:
    calls: list[int] = []

    def counting(values: Sequence[bytes]) -> Sequence[Outgoing]:
        calls.append(len(values))
        return transform(values)

    result = STEP.run(raws(b"a", b"b", b"c"), counting)
    assert calls == [3]
    assert [message.value for message in result.outgoing] == [b"a", b"b", b"c"]


@pytest.mark.parametrize(
    ("bad", "code"),
    [
        (b"undecodable", "UNDECODABLE"),
        (b"refused", "REFUSED"),
        (b"bug", "TRANSFORM_FAILED"),
        (b"huge", "RECORD_TOO_LARGE"),
    ],
)
def test_only_the_bad_record_is_refused(bad: bytes, code: str) -> None:
    result = STEP.run(raws(b"a", bad, b"b"), transform)
    assert [message.value for message in result.outgoing] == [b"a", b"b"]
    assert [(raw.offset, why.code) for raw, why in result.refused] == [(1, code)]


def test_all_reasons_are_kept_when_several_kinds_meet() -> None:
    result = STEP.run(raws(b"undecodable", b"refused", b"a", b"bug"), transform)
    assert [why.code for _, why in result.refused] == ["UNDECODABLE", "REFUSED", "TRANSFORM_FAILED"]


def test_a_crash_refuses_nothing() -> None:
    with pytest.raises(Crash):
        STEP.run(raws(b"a", b"crash"), transform)
