"""A consumer with work that does not move is not alive; one that waits for others, or has no work, is."""

import pytest

from chassis.kafka import Progress

AT = ("topic", 0)


class Watch:
    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def progress(watch: Watch) -> Progress:
    return Progress(stalled_after_seconds=60, now=watch)


def test_lag_without_movement_is_a_stall(progress: Progress, watch: Watch) -> None:
    progress.observe({AT: 10}, {AT: 4})
    assert progress.is_live()
    watch.seconds = 61
    assert not progress.is_live()


def test_a_record_that_was_fetched_but_not_done_counts_as_lag(progress: Progress) -> None:
    progress.done({AT: 4})
    progress.observe({AT: 10}, {AT: 10})
    assert progress.lag == 6


def test_a_first_batch_that_hangs_counts_as_lag(progress: Progress) -> None:
    progress.begin({AT: 4})
    progress.observe({AT: 10}, {AT: 10})
    assert progress.lag == 6


def test_a_later_batch_does_not_hide_what_is_not_done(progress: Progress) -> None:
    progress.begin({AT: 4})
    progress.begin({AT: 8})
    assert progress.next_offsets == {AT: 4}


def test_movement_revives(progress: Progress, watch: Watch) -> None:
    progress.observe({AT: 10}, {AT: 4})
    watch.seconds = 61
    progress.done({AT: 5})
    assert progress.is_live()


def test_nothing_to_do_is_no_stall(progress: Progress, watch: Watch) -> None:
    progress.observe({AT: 10}, {AT: 10})
    watch.seconds = 1_000
    assert progress.is_live()


def test_new_work_after_an_idle_time_gets_the_whole_allowance(progress: Progress, watch: Watch) -> None:
    watch.seconds = 1_000
    progress.observe({AT: 10}, {AT: 10})
    progress.observe({AT: 11}, {AT: 10})
    watch.seconds = 1_059
    assert progress.is_live()


def test_waiting_for_infrastructure_is_no_stall(progress: Progress, watch: Watch) -> None:
    progress.observe({AT: 10}, {AT: 4})
    progress.wait_for("ConnectionRefusedError")
    watch.seconds = 1_000
    assert progress.is_live()
    progress.wait_for(None)
    watch.seconds = 1_061
    assert not progress.is_live()


def test_a_silent_kafka_is_no_stall(progress: Progress, watch: Watch) -> None:
    progress.observe({AT: 10}, {AT: 4})
    watch.seconds = 59
    progress.cannot_tell()
    watch.seconds = 61
    assert progress.is_live()


def test_a_revoked_partition_is_forgotten(progress: Progress) -> None:
    progress.done({AT: 4})
    progress.forget({AT})
    progress.observe({AT: 10}, {AT: 10})
    assert progress.lag == 0
