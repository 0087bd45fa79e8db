"""The pure parts of the outbox: shards and the patience of a lane."""

import asyncio
from collections import Counter

import pytest

from chassis.outbox import SHARDS, shard_of
from chassis.outbox.lane import Lane


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
