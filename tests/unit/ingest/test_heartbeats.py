"""What heartbeats say of an account that delivers by itself."""

from datetime import UTC, datetime, timedelta

import pytest

from services.ingest.fetching.coverage import COVERED, Expectation, Facts, Reason, State, decide
from services.ingest.heartbeats import REPEATED, Beat, after

BEGAN = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return BEGAN + timedelta(seconds=seconds)


def refused(*moments: float, verified_at: datetime | None = None) -> Beat:
    beat = Beat(verified_at)
    for moment in moments:
        beat = beat.refused(at(moment))
    return beat


def state(beat: Beat, now: float, silence_seconds: float | None = None) -> State:
    return decide(Expectation(silence_seconds), after(beat, Facts(BEGAN)), at(now))


@pytest.mark.parametrize(("refusals", "reason"), [(REPEATED - 1, None), (REPEATED, Reason.AUTH_FAILED)])
def test_only_repeated_refusals_are_a_gap(refusals: int, reason: Reason | None) -> None:
    assert state(refused(*range(1, refusals + 1)), 60).reason is reason


def test_a_gap_begins_with_the_first_refusal_and_ends_with_a_delivery() -> None:
    beat = refused(10, 20, 30, verified_at=at(5))
    assert state(beat, 60) == State(Reason.AUTH_FAILED, at(10))
    assert state(beat.then(Beat(at(70))), 80) == COVERED


def test_replicas_count_together() -> None:
    beat = refused(10).then(refused(20)).then(refused(30))
    assert beat == Beat(None, 3, at(10), at(30))


@pytest.mark.parametrize(("now", "reason"), [(3700, None), (3701, Reason.SILENT)])
def test_silence_is_counted_from_the_last_delivery_where_one_is_expected(now: float, reason: Reason | None) -> None:
    assert state(Beat(at(100)), now, silence_seconds=3600).reason is reason
    assert state(Beat(at(100)), now).reason is None
