"""The fuse tells a few bad records from a bad version."""

import pytest

from chassis.errors import Crash
from chassis.kafka import Fuse


def test_as_many_in_a_row_as_allowed_pass_and_one_more_blows() -> None:
    fuse = Fuse(max_consecutive=3)
    fuse.admit(3)
    with pytest.raises(Crash, match="4 records in a row are dead letters"):
        fuse.admit(1)


def test_a_good_record_breaks_the_row() -> None:
    fuse = Fuse(max_consecutive=3, min_records=1_000)
    for _ in range(20):
        fuse.admit(3)
        fuse.good(1)
    fuse.admit(3)


def test_no_good_records_do_not_break_the_row() -> None:
    fuse = Fuse(max_consecutive=3)
    fuse.admit(3)
    fuse.good(0)
    with pytest.raises(Crash):
        fuse.admit(1)


def test_too_large_a_share_blows() -> None:
    fuse = Fuse(max_consecutive=1_000, max_ratio=0.5, min_records=10)
    fuse.good(4)
    fuse.admit(4)
    fuse.admit(1)
    with pytest.raises(Crash, match="6 of the last 10 records"):
        fuse.admit(1)


def test_a_small_sample_says_nothing_of_the_share() -> None:
    Fuse(max_consecutive=1_000, max_ratio=0.1, min_records=10).admit(9)


def test_only_the_last_records_count() -> None:
    fuse = Fuse(max_consecutive=1_000, max_ratio=0.5, min_records=10, window=20)
    fuse.good(100_000)
    for _ in range(20):
        fuse.good(1)
    with pytest.raises(Crash):
        fuse.admit(30)
