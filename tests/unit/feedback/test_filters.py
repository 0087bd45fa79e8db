"""Filters and ranges of time: one rule in memory and in SQL, ranges cut at whole hours without loss."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ascolto.classification.v1 import classification_pb2 as classification
from ascolto.insights.v1 import insights_service_pb2 as pb
from chassis.api_errors import ApiError
from services.feedback.filters import Filter, TimeRange, read_filter, read_range
from services.feedback.projection import fold, hour_of
from tests.unit.feedback.histories import heard

MIDNIGHT = datetime(2026, 11, 22, tzinfo=UTC)
moments = st.timedeltas(timedelta(days=-1), timedelta(days=1)).map(lambda distance: MIDNIGHT + distance)


def holds(span: TimeRange, moment: datetime) -> bool:
    return (span.start is None or moment >= span.start) and (span.end is None or moment < span.end)


@given(first=st.none() | moments, second=st.none() | moments, moment=moments)
def test_whole_hours_and_edges_hold_every_moment_of_a_range_exactly_once(
    first: datetime | None, second: datetime | None, moment: datetime
) -> None:
    if first and second and first >= second:
        first, second = second, first + timedelta(microseconds=1)
    span = TimeRange(first, second)
    before, after = span.edges()
    in_whole_hours = holds(span.whole_hours(), hour_of(moment))
    in_edges = [edge for edge in (before, after) if edge.start and edge.end and holds(edge, moment)]
    assert in_whole_hours + len(in_edges) == holds(span, moment)


def test_the_order_of_a_filter_means_nothing() -> None:
    one = read_filter(pb.Filter(networks=["x", "y", "x"], languages=["PT-br", "en"]))
    assert one == read_filter(pb.Filter(networks=["y", "x"], languages=["en", "pt"]))


def test_different_filters_are_bound_to_different_words() -> None:
    filters = [
        Filter(),
        Filter(networks=("category",)),
        Filter(categories=("network",)),
        Filter(triage=True),
        Filter(triage=False),
    ]
    assert len({tuple(each.words()) for each in filters}) == len(filters)


@pytest.mark.parametrize(
    ("narrowed", "passes"),
    [
        (Filter(), True),
        (Filter(categories=("question",)), True),
        (Filter(categories=("complaint",)), True),
        (Filter(categories=("other",)), False),
        (Filter(networks=("telegram",)), False),
        (Filter(triage=True), False),
    ],
)
def test_an_edited_post_passes_where_it_was_and_where_it_is(narrowed: Filter, passes: bool) -> None:  # noqa: FBT001
    edited = heard(revision=2, state="edited", category="question")
    insight = fold({}, [heard(), edited]).insights[-1]
    assert narrowed.passes(insight) is passes


@pytest.mark.parametrize(
    "narrowed",
    [
        pb.Filter(categories=[classification.CATEGORY_UNSPECIFIED]),
        pb.Filter(languages=[""]),
        pb.Filter(networks=["x\x00"]),
        pb.Filter(networks=["x"] * 101),
    ],
)
def test_a_filter_that_makes_no_sense_is_refused(narrowed: pb.Filter) -> None:
    with pytest.raises(ApiError, match=r"filter\."):
        read_filter(narrowed)


@pytest.mark.parametrize("seconds", [10**13, 253_402_300_799, -(10**13)])
def test_a_time_out_of_range_is_refused(seconds: int) -> None:
    request = pb.ListPostsRequest()
    request.start_time.seconds = seconds
    with pytest.raises(ApiError, match="start_time"):
        read_range(request)
