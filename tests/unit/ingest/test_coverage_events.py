"""What a change of coverage says to everybody else."""

from datetime import UTC, datetime, timedelta

import pytest

from ascolto.coverage.v1 import coverage_pb2 as coverage
from chassis.messages import Outgoing, Record
from contracts.codec import decode
from services.ingest.coverage_events import STATES, coverage_event, gap_event
from services.ingest.fetching.coverage import COVERED, CoverageChange, Gap, Missed, Reason, State

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def said(outgoing: Outgoing) -> coverage.CoverageChanged:
    record = Record(outgoing.topic, 0, 0, 0, outgoing.key, outgoing.value, outgoing.headers)
    message = decode(record).message
    assert isinstance(message, coverage.CoverageChanged)
    return message


def test_every_reason_has_its_state() -> None:
    assert set(STATES) == {None, *Reason}


@pytest.mark.parametrize("reason", Reason)
def test_a_gap_says_since_when_and_why(reason: Reason) -> None:
    began = NOW - timedelta(hours=2)
    change = CoverageChange("acme-telegram", "acme", COVERED, State(reason, began))
    message = said(coverage_event(change, "telegram", NOW))
    assert (message.reason, message.since.ToDatetime(tzinfo=UTC)) == (reason.name, began)
    assert message.state != coverage.COVERAGE_STATE_HEARING


def test_hearing_again_begins_now_and_is_another_event() -> None:
    gap = CoverageChange("acme-telegram", "acme", COVERED, State(Reason.SILENT, NOW))
    over = CoverageChange("acme-telegram", "acme", State(Reason.SILENT, NOW), COVERED)
    first, second = coverage_event(gap, "telegram", NOW), coverage_event(over, "telegram", NOW)
    assert said(second).state == coverage.COVERAGE_STATE_HEARING
    assert dict(first.headers)["ce_id"] != dict(second.headers)["ce_id"]
    assert first.key == second.key == b"acme-telegram"


def test_when_it_was_heard_last_is_told() -> None:
    heard_at = NOW - timedelta(hours=3)
    change = CoverageChange("acme-telegram", "acme", COVERED, State(Reason.SILENT, heard_at), heard_at)
    assert said(coverage_event(change, "telegram", NOW)).last_heard_time.ToDatetime(tzinfo=UTC) == heard_at


@pytest.mark.parametrize("reason", Missed)
def test_what_can_never_be_had_is_a_gap_with_an_end(reason: Missed) -> None:
    gap = Gap("acme-discord", "acme", reason, NOW - timedelta(hours=1), NOW)
    message = said(gap_event(gap, "discord"))
    assert (message.reason, message.until.ToDatetime(tzinfo=UTC)) == (reason.name, NOW)
    assert message.since.ToDatetime(tzinfo=UTC) == NOW - timedelta(hours=1)
