import numpy as np
import pytest

from services.routing.calibration import choose_threshold, expected_calibration_error, risk_coverage, softmax

CONFIDENCE = np.array([0.9, 0.8, 0.7, 0.6])
CORRECT = np.array([True, True, False, True])
EQUAL = np.ones(4)


def test_softmax_keeps_huge_scores_finite() -> None:
    assert softmax(np.array([[1e6, 0.0], [-1e6, -1e6]])).tolist() == [[1.0, 0.0], [0.5, 0.5]]


def test_risk_and_coverage_grow_with_a_lower_threshold() -> None:
    thresholds, risk, coverage = risk_coverage(CONFIDENCE, CORRECT, EQUAL)

    assert thresholds.tolist() == CONFIDENCE.tolist()
    assert risk.tolist() == pytest.approx([0, 0, 1 / 3, 1 / 4])
    assert coverage.tolist() == pytest.approx([0.25, 0.5, 0.75, 1.0])


@pytest.mark.parametrize(("max_risk", "threshold"), [(0.0, 0.8), (0.25, 0.6), (1.0, 0.6)])
def test_the_threshold_covers_as_much_as_the_risk_allows(max_risk: float, threshold: float) -> None:
    assert choose_threshold(CONFIDENCE, CORRECT, EQUAL, max_risk=max_risk, floor=0.4) == threshold


def test_the_threshold_stays_above_its_floor_and_excludes_everything_where_all_is_wrong() -> None:
    assert choose_threshold(CONFIDENCE, CORRECT, EQUAL, max_risk=1.0, floor=0.75) == 0.75
    assert choose_threshold(CONFIDENCE, ~CONFIDENCE.astype(bool), EQUAL, max_risk=0.1, floor=0.4) == 1.0


def test_calibration_error_is_the_distance_between_said_and_true() -> None:
    confidence = np.full(100, 0.8)

    assert expected_calibration_error(confidence, np.arange(100) % 5 != 0) == pytest.approx(0.0)
    assert expected_calibration_error(confidence, np.zeros(100, dtype=np.bool_)) == pytest.approx(0.8)
