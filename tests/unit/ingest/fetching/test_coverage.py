"""Whether an integration hears: decided from what happened, what is expected, and the time."""

from datetime import UTC, datetime, timedelta

import pytest

from services.ingest.fetching.coverage import COVERED, Expectation, Facts, Reason, State, decide

BEGAN = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
FACTS = Facts(BEGAN)
PATIENT = Expectation(failing_seconds=300)


def at(seconds: float) -> datetime:
    return BEGAN + timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("failure", "after_seconds", "state"),
    [
        (Reason.AUTH_FAILED, 0, State(Reason.AUTH_FAILED, at(10))),
        (Reason.CLOSED, 0, State(Reason.CLOSED, at(10))),
        (Reason.UNREACHABLE, 299, COVERED),
        (Reason.UNREACHABLE, 300, State(Reason.UNREACHABLE, at(10))),
        (Reason.RATE_LIMITED, 299, COVERED),
        (Reason.RATE_LIMITED, 300, State(Reason.RATE_LIMITED, at(10))),
    ],
)
def test_what_waiting_may_mend_is_waited_for(failure: Reason, after_seconds: float, state: State) -> None:
    facts = FACTS.failed(at(10), failure)
    assert decide(PATIENT, facts, at(10 + after_seconds)) == state


def test_a_gap_begins_with_the_first_failure_and_has_the_reason_of_the_last() -> None:
    facts = FACTS.failed(at(10), Reason.UNREACHABLE).failed(at(400), Reason.RATE_LIMITED)
    assert decide(PATIENT, facts, at(400)) == State(Reason.RATE_LIMITED, at(10))


def test_an_answer_ends_a_gap() -> None:
    facts = FACTS.failed(at(10), Reason.AUTH_FAILED).checked(at(20), heard=False)
    assert decide(PATIENT, facts, at(20)) == COVERED


@pytest.mark.parametrize(("now", "state"), [(at(3600), COVERED), (at(3601), State(Reason.SILENT, BEGAN))])
def test_silence_is_counted_from_the_beginning_where_nothing_was_ever_heard(now: datetime, state: State) -> None:
    facts = FACTS.checked(now, heard=False)
    assert decide(Expectation(silence_seconds=3600), facts, now) == state


def test_silence_is_counted_from_the_last_post_whatever_was_asked_since() -> None:
    facts = FACTS.checked(at(100), heard=True).checked(at(5000), heard=False)
    assert decide(Expectation(silence_seconds=3600), facts, at(3700)) == COVERED
    assert decide(Expectation(silence_seconds=3600), facts, at(3701)) == State(Reason.SILENT, at(100))


def test_a_brand_that_nobody_talks_about_is_heard_well() -> None:
    assert decide(PATIENT, FACTS.checked(at(10**8), heard=False), at(10**8)) == COVERED
