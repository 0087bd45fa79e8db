"""Percentiles by rank."""

from hypothesis import given
from hypothesis import strategies as st

from bench.percentiles import Percentiles, percentiles


def test_a_percentile_is_the_value_at_its_rank() -> None:
    assert percentiles([float(each) for each in range(200, 0, -1)]) == Percentiles(100.0, 180.0, 198.0, 200.0)


def test_one_value_is_every_percentile() -> None:
    assert percentiles([7.0]) == Percentiles(7.0, 7.0, 7.0, 7.0)


@given(st.lists(st.floats(allow_nan=False), min_size=1))
def test_percentiles_rise_and_occur(values: list[float]) -> None:
    found = percentiles(values)
    assert list(found) == sorted(found)
    assert set(found) <= set(values)
