"""The pure parts of the outbox: shards, rows, and the patience of a lane."""

import asyncio
from collections import Counter

import pytest

from chassis.messages import Headers, Outgoing
from chassis.outbox import SHARDS, columns_of, read_headers, shard_of
from chassis.outbox.lane import Lane
from chassis.outbox.rows import write_headers


def test_a_key_keeps_its_shard_in_every_version() -> None:
    """Rows written by an older process must be found: these values may never change."""
    assert [shard_of(key) for key in (b"", b"key", b"conversation-1", b"\x00\xff")] == [0, 9, 12, 2]


def test_keys_spread_over_all_shards() -> None:
    counts = Counter(shard_of(f"key-{number}".encode()) for number in range(16_000))
    assert len(counts) == SHARDS
    assert min(counts.values()) > 700


def test_each_failure_doubles_the_patience_up_to_its_limit() -> None:
    lane = Lane()
    waits = []
    for _ in range(8):
        lane.failed(OSError(), now=100.0, backoff_max_seconds=5.0)
        waits.append(round(lane.ready_at - 100.0, 3))
    assert waits == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0]


def test_an_outage_of_days_does_not_overflow() -> None:
    lane = Lane(failures=1_000_000)
    lane.failed(OSError(), now=0.0, backoff_max_seconds=5.0)
    assert (lane.ready_at, lane.limit(500)) == (5.0, 1)


@pytest.mark.parametrize(("failures", "rows"), [(0, 500), (1, 250), (3, 62), (9, 1), (20, 1)])
def test_each_failure_halves_the_batch_down_to_one_row(failures: int, rows: int) -> None:
    assert Lane(failures=failures).limit(500) == rows


async def test_a_batch_that_is_not_acknowledged_for_long_is_trouble() -> None:
    lane = Lane()
    task = asyncio.create_task(_no_rows())
    lane.begin(task, now=100.0)
    assert [lane.trouble(now) for now in (104.0, 106.0)] == [None, "no acknowledgement"]
    await task


async def _no_rows() -> list[int]:
    return []


def test_a_success_forgets_the_failures() -> None:
    lane = Lane()
    lane.failed(OSError(), now=100.0, backoff_max_seconds=5.0)
    assert not lane.is_ready(100.05)
    lane.succeeded()
    assert lane.is_ready(100.05)
    assert lane.limit(500) == 500


def test_headers_come_back_as_they_were_written() -> None:
    headers = (("ce_id", b"1"), ("a", '\x00é"\\'.encode()), ("empty", b""))
    assert read_headers(write_headers(headers)) == headers


@pytest.mark.parametrize("headers", [(("a", b"1"), ("a", b"2")), (("a", b"\xff"),)], ids=["repeated", "not UTF-8"])
def test_headers_that_json_cannot_hold_are_refused(headers: Headers) -> None:
    with pytest.raises(ValueError, match=r"one header of a name|utf-8"):
        columns_of([Outgoing("topic", b"key", b"value", headers)])
