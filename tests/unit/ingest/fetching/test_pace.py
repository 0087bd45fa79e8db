"""How long to wait: as networks write it, and after failures."""

from datetime import UTC, datetime

import pytest

from services.ingest.fetching.pace import Backoff, Schedule, pause_seconds

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
EPOCH = int(NOW.timestamp())


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "120"}, 120.0),
        ({"retry-after": "Sun, 22 Nov 2026 09:02:00 GMT"}, 120.0),
        ({"retry-after": "Sun, 22 Nov 2026 08:00:00 GMT"}, 0.0),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "-5"}, 0.0),
        ({"retry-after": "99999999"}, 86_400.0),
        ({"x-ratelimit-remaining": "3.0", "x-ratelimit-reset": "60"}, None),
        ({"x-ratelimit-remaining": "0.0", "x-ratelimit-reset": "60"}, 60.0),
        ({"x-ratelimit-remaining": "0", "x-ratelimit-reset": "2026-11-22T09:01:30.000000Z"}, 90.0),
        ({"x-rate-limit-remaining": "0", "x-rate-limit-reset": str(EPOCH + 30)}, 30.0),
        ({"ratelimit-remaining": "0", "ratelimit-reset": "30"}, 30.0),
        ({"x-ratelimit-remaining": "0"}, None),
    ],
)
def test_a_pause_is_read_however_it_is_written(headers: dict[str, str], seconds: float | None) -> None:
    assert pause_seconds(headers, NOW) == seconds


@pytest.mark.parametrize(
    ("failures", "least", "most"), [(1, 1, 2), (2, 2, 4), (5, 16, 32), (9, 150, 300), (10**6, 150, 300)]
)
def test_failures_are_waited_for_twice_as_long_each_up_to_a_cap(failures: int, least: float, most: float) -> None:
    waits = [Backoff(2.0, 300.0).wait_seconds(failures) for _ in range(100)]
    assert least <= min(waits) < max(waits) <= most


def test_a_network_that_asks_for_more_patience_gets_it() -> None:
    assert Backoff(2.0, 300.0).wait_seconds(1, 1000.0) == 1000.0
    assert Schedule(60.0).wait_seconds(1000.0) == 1000.0


def test_looks_are_spread_around_their_interval() -> None:
    waits = [Schedule(60.0, jitter=0.1).wait_seconds() for _ in range(200)]
    assert 54 <= min(waits) < 58
    assert 62 < max(waits) <= 66
