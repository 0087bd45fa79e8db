"""Token buckets by a clock that the test moves."""

from services.ingest.rate_limit import TokenBuckets


class Time:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def test_a_burst_passes_and_then_the_rate_holds() -> None:
    time = Time()
    buckets = TokenBuckets(burst=2, per_second=0.5, monotonic=time)
    assert [buckets.take("a"), buckets.take("a")] == [0.0, 0.0]
    assert buckets.take("a") == 2.0
    time.seconds += 2.0
    assert buckets.take("a") == 0.0


def test_keys_do_not_share_a_bucket() -> None:
    buckets = TokenBuckets(burst=1, per_second=1, monotonic=Time())
    assert buckets.take("a") == 0.0
    assert buckets.take("b") == 0.0
    assert buckets.take("a") > 0


def test_a_rest_never_earns_more_than_a_burst() -> None:
    time = Time()
    buckets = TokenBuckets(burst=2, per_second=1, monotonic=time)
    buckets.take("a")
    time.seconds += 3600
    assert [buckets.take("a") > 0 for _ in range(3)] == [False, False, True]


def test_only_the_latest_keys_are_remembered() -> None:
    buckets = TokenBuckets(burst=1, per_second=0.001, max_keys=2, monotonic=Time())
    for key in ("a", "b", "c"):
        buckets.take(key)
    assert buckets.take("c") > 0
    assert buckets.take("a") == 0.0
