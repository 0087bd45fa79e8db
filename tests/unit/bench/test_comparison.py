"""The ratios that the tables show."""

import pytest

from bench.comparison import Comparison, Spread, Target, turns
from bench.measurement import Measurement

OURS = [Measurement(100, 1.0, 0.5), Measurement(100, 2.0, 0.6), Measurement(100, 4.0, 0.7)]
THEIRS = [Measurement(100, 2.0, 1.0), Measurement(100, 2.0, 0.6), Measurement(50, 4.0, 0.7)]
COMPARISON = Comparison("ours", {"ours": OURS, "theirs": THEIRS})


def test_a_measurement_knows_its_rate_and_its_price() -> None:
    measurement = Measurement(items=200, seconds=4.0, cpu_seconds=0.5)
    assert measurement.rate == 50.0
    assert measurement.cpu_us == 2_500.0


def test_a_measurement_survives_the_way_between_processes() -> None:
    measurement = Measurement(items=200, seconds=4.25, cpu_seconds=0.5)
    assert Measurement.from_json(measurement.to_json()) == measurement


def test_ratios_are_formed_within_each_round() -> None:
    assert COMPARISON.rate_ratio("theirs") == Spread(median=2.0, low=1.0, high=2.0)
    assert COMPARISON.cpu_ratio("theirs") == Spread(median=0.5, low=0.5, high=1.0)


def test_rates_and_prices_are_medians() -> None:
    assert COMPARISON.rate("ours") == 50.0
    assert COMPARISON.cpu_us("theirs") == pytest.approx(10_000.0)


@pytest.mark.parametrize(("at_least", "met"), [(1.5, True), (2.0, True), (2.1, False)])
def test_a_target_is_met_by_the_median_ratio(at_least: float, met: bool) -> None:  # noqa: FBT001 - a table
    assert COMPARISON.meets(Target("theirs", at_least)) is met


def test_rounds_that_do_not_pair_are_not_compared() -> None:
    with pytest.raises(ValueError, match="shorter"):
        Comparison("ours", {"ours": OURS, "theirs": THEIRS[:2]}).rate_ratio("theirs")


def test_everybody_runs_once_a_round_and_begins_in_turn() -> None:
    assert list(turns(["a", "b", "c"], 4)) == ["a", "b", "c", "b", "c", "a", "c", "a", "b", "a", "b", "c"]
