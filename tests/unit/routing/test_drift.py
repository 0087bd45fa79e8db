"""The classifier's report: what is counted, compared with which period, and when it warns."""

from collections.abc import Mapping
from datetime import date, timedelta

import pytest

from ascolto.classification.v1 import classification_pb2 as pb
from services.routing.drift import Tally, confidence_of, moved, stability_index
from services.routing.drift_report import Cell, Dimension, first_day, rows
from services.routing.judgement import Category
from tests.factories import make_classification

TODAY = date(2026, 11, 22)
WEEK = timedelta(days=7)
DAY = timedelta(days=1)


def _tally(answered: int, abstained: int = 0, category: str = "question", confidence: float = 0.8) -> Tally:
    tally = Tally()
    tally.judged(category, answered, abstained=False, confidence=answered * confidence)
    tally.judged("other", abstained, abstained=True, confidence=abstained * 0.4)
    return tally


def _labelled(*pairs: tuple[float, bool]) -> Tally:
    tally = Tally()
    for confidence, right in pairs:
        tally.labelled(confidence, right=right)
    return tally


def test_coverage_and_shares_are_of_all_posts() -> None:
    tally = _tally(75, 25)
    assert tally.coverage == 0.75
    assert tally.mean_confidence == pytest.approx(0.7)
    assert [tally.share(category) for category in Category] == [0.75, 0, 0, 0.25]


def test_what_a_language_model_decided_has_no_confidence() -> None:
    tally = _tally(6, confidence=0.5)
    tally.judged("complaint", 2, abstained=False, confidence=None)
    tally.add(tally)
    assert (tally.posts, tally.by_language_model) == (16, 4)
    assert tally.mean_confidence == pytest.approx(0.5)


@pytest.mark.parametrize(("stage", "expected"), [(pb.STAGE_ENCODER, 0.91), (pb.STAGE_LANGUAGE_MODEL, None)])
def test_the_classifier_is_sure_of_its_own_word_alone(stage: pb.Stage.ValueType, expected: float | None) -> None:
    judged = make_classification()
    judged.stage = stage
    assert confidence_of(judged) == (expected and pytest.approx(expected))


def test_an_empty_tally_has_no_shares_to_divide() -> None:
    assert (Tally().coverage, Tally().mean_confidence, Tally().accuracy) == (0, 0, None)


def test_calibration_is_right_where_confidence_is_accuracy() -> None:
    tally = _labelled(*[(0.75, number % 4 != 0) for number in range(40)])
    assert tally.accuracy == 0.75
    assert tally.calibration_error == pytest.approx(0)


def test_calibration_tells_how_far_confidence_is_from_accuracy() -> None:
    tally = _labelled(*[(0.9, number % 2 == 0) for number in range(40)], *[(0.35, False)] * 40)
    assert tally.calibration_error == pytest.approx((0.4 + 0.35) / 2)


def test_a_few_labels_tell_no_calibration() -> None:
    assert _labelled(*[(1.0, True)] * 29).calibration_error is None


def test_the_stability_index_is_that_of_the_books() -> None:
    index = stability_index({"a": 500_000, "b": 500_000}, {"a": 800_000, "b": 200_000}, ["a", "b"])
    assert index == pytest.approx(0.4159, abs=1e-3)


def test_a_fall_of_coverage_is_told_with_its_bound() -> None:
    assert moved(_tally(160, 40), _tally(195, 5))[0] == "coverage went from 98% to 80% (more than 10 points)"


def test_a_change_of_mix_is_told_with_its_index() -> None:
    [said] = moved(_tally(200, category="complaint"), _tally(200))
    assert said.startswith("the mix of categories moved: PSI ")


@pytest.mark.parametrize(
    ("now", "before"),
    [
        (_tally(200), _tally(200)),
        (_tally(184, 16), _tally(195, 5)),
        (_tally(100, 99), _tally(1_000)),
        (_tally(1_000), _tally(100, 99)),
        (Tally(), Tally()),
    ],
)
def test_within_the_bounds_or_with_few_posts_nothing_is_told(now: Tally, before: Tally) -> None:
    assert moved(now, before) == []


def _cells(counts: Mapping[tuple[int, str, str], int]) -> dict[Cell, Tally]:
    """By days ago, network and language."""
    return {
        Cell(TODAY - days * DAY, network, language): _tally(posts)
        for (days, network, language), posts in counts.items()
    }


def test_a_day_is_compared_with_the_week_before_it() -> None:
    cells = _cells(
        {(0, "x", "it"): 5, (1, "x", "it"): 10, (1, "x", "en"): 1, (7, "x", "it"): 100, (8, "x", "it"): 1_000}
    )
    [row] = rows(cells, [Dimension.DAY, Dimension.NETWORK], TODAY, TODAY + DAY)
    assert row.group == {"day": "2026-11-22", "network": "x"}
    assert (row.tally.posts, row.before.posts) == (5, 111)


def test_a_range_is_compared_with_as_many_days_before_it() -> None:
    cells = _cells({(0, "x", "it"): 5, (1, "y", "it"): 6, (2, "x", "it"): 10, (3, "x", "de"): 20, (4, "x", "it"): 40})
    found = rows(cells, [Dimension.LANGUAGE], TODAY - DAY, TODAY + DAY)
    assert [(row.group, row.tally.posts, row.before.posts) for row in found] == [({"language": "it"}, 11, 10)]


def test_cells_are_read_from_where_the_first_period_before_begins() -> None:
    assert first_day(TODAY, TODAY + 3 * DAY, [Dimension.DAY]) == TODAY - WEEK
    assert first_day(TODAY, TODAY + 3 * DAY, [Dimension.NETWORK]) == TODAY - 3 * DAY


def test_rows_stand_in_the_order_of_their_days_and_names() -> None:
    cells = _cells({(0, "x", "it"): 1, (1, "y", "it"): 1, (1, "a", "it"): 1})
    found = rows(cells, [Dimension.DAY, Dimension.NETWORK], TODAY - DAY, TODAY + DAY)
    assert [tuple(row.group.values()) for row in found] == [
        ("2026-11-21", "a"),
        ("2026-11-21", "y"),
        ("2026-11-22", "x"),
    ]
