"""Of all that is decided about a post the same stands, in whatever order and however often it is heard."""

from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ascolto.classification.v1 import classification_pb2 as pb
from services.routing.standing import MODEL, PERSON, Decided, head_start, moment_after, standing

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def decided(  # noqa: PLR0913 - every part that a test may vary
    name: str = "p",
    revision: int = 1,
    *,
    deleted: bool = False,
    authority: str = MODEL,
    minutes: int = 0,
    number: int = 0,
    ahead_minutes: int = 0,
) -> Decided:
    """What one event says; equal arguments give the same event."""
    at = NOON + timedelta(minutes=minutes)
    return Decided(
        post_name=name,
        tenant="acme",
        conversation="c",
        network="x",
        language="en",
        revision=revision,
        deleted=deleted,
        authority=authority,
        decided_at=at,
        event_id=uuid5(UUID(int=7), f"{name} {revision} {deleted} {authority} {minutes} {number} {ahead_minutes}"),
        category="complaint",
        kind="service_problem",
        decision="corrected" if authority == PERSON else "assigned",
        stage="linear",
        model="models/test@1",
        probability=0.9,
        heard_at=at,
        priority_at=at - timedelta(minutes=ahead_minutes),
        payload=None if deleted else b"said",
        corrected_by=None,
        correction_reason=None,
    )


DECISIONS = st.builds(
    decided,
    st.sampled_from(["p", "q", "r"]),
    st.integers(1, 3),
    deleted=st.booleans(),
    authority=st.sampled_from([MODEL, PERSON]),
    minutes=st.integers(0, 3),
    number=st.integers(0, 1),
    ahead_minutes=st.sampled_from([0, 30]),
)


@given(st.lists(DECISIONS, max_size=12), st.data())
def test_any_order_any_batching_and_any_repeats_end_the_same(told: list[Decided], data: st.DataObject) -> None:
    again = data.draw(st.lists(st.sampled_from(told), max_size=5)) if told else []
    shuffled = data.draw(st.permutations(told + again))
    cut = data.draw(st.integers(0, len(shuffled)))
    assert standing(standing(shuffled[:cut]) + standing(shuffled[cut:])) == standing(told)


@given(st.lists(DECISIONS, min_size=1, max_size=12))
def test_what_stands_is_the_greatest_of_its_post(told: list[Decided]) -> None:
    for stands in standing(told):
        assert stands.rank == max(each.rank for each in told if each.post_name == stands.post_name)


@pytest.mark.parametrize(
    ("below", "above"),
    [
        (decided(revision=1, authority=PERSON, minutes=9), decided(revision=2)),
        (decided(revision=3, authority=PERSON), decided(revision=1, deleted=True)),
        (decided(minutes=9), decided(authority=PERSON, minutes=1)),
        (decided(authority=PERSON, minutes=1), decided(authority=PERSON, minutes=2)),
        (decided(minutes=1), decided(minutes=2)),
    ],
    ids=["revision", "deletion", "person", "later person", "later model"],
)
def test_of_two_the_greater_stands(below: Decided, above: Decided) -> None:
    (stands,) = standing([above, below])
    assert stands.event_id == above.event_id


def test_a_correction_is_as_old_as_the_post_that_it_is_about() -> None:
    correction = decided(authority=PERSON, minutes=90, ahead_minutes=30)
    (stands,) = standing([correction, decided(minutes=1)])
    assert (stands.event_id, stands.heard_at) == (correction.event_id, NOON + timedelta(minutes=1))
    assert stands.heard_at - stands.priority_at == timedelta(minutes=30)


def test_another_revision_is_as_old_as_itself() -> None:
    (stands,) = standing([decided(revision=1, minutes=1), decided(revision=2, minutes=5)])
    assert stands.heard_at == NOON + timedelta(minutes=5)


@pytest.mark.parametrize(("now_minutes", "expected_seconds"), [(5, 300), (0, 0.000001), (-5, 0.000001)])
def test_a_decision_is_made_after_the_one_that_it_replaces(now_minutes: int, expected_seconds: float) -> None:
    moment = moment_after(NOON, NOON + timedelta(minutes=now_minutes))
    assert (moment - NOON).total_seconds() == expected_seconds


@pytest.mark.parametrize(
    ("urgency", "priority", "hours"),
    [
        (pb.URGENCY_LEVEL_UNSPECIFIED, None, 0),
        (pb.URGENCY_LEVEL_NORMAL, None, 0),
        (pb.URGENCY_LEVEL_RAISED, None, 0.5),
        (pb.URGENCY_LEVEL_HIGH, None, 2),
        (pb.URGENCY_LEVEL_CRITICAL, None, 8),
        (pb.URGENCY_LEVEL_CRITICAL, pb.PRIORITY_NORMAL, 0),
        (pb.URGENCY_LEVEL_NORMAL, pb.PRIORITY_URGENT, 8),
        (pb.URGENCY_LEVEL_NORMAL, pb.PRIORITY_HIGH, 2),
        (pb.URGENCY_LEVEL_NORMAL, pb.PRIORITY_LOW, -2),
    ],
)
def test_the_head_start_is_the_rules_word_and_without_rules_the_urgencys(
    urgency: pb.UrgencyLevel.ValueType, priority: pb.Priority.ValueType | None, hours: float
) -> None:
    message = pb.PostClassified()
    message.classification.urgency.level = urgency
    if priority is not None:
        message.handling.priority = priority
    assert head_start(message) == timedelta(hours=hours)
