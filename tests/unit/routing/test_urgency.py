import pytest

from ascolto.classification.v1 import classification_pb2 as pb
from services.routing.decisions import REACH_THAT_COUNTS, urgency_of
from services.routing.judgement import CATEGORY_OF, Judgement, Kind, UrgencyReason
from tests.factories import make_post_received

NORMAL, RAISED, HIGH, CRITICAL = (
    pb.URGENCY_LEVEL_NORMAL,
    pb.URGENCY_LEVEL_RAISED,
    pb.URGENCY_LEVEL_HIGH,
    pb.URGENCY_LEVEL_CRITICAL,
)
SAFETY, MONEY, TIME = UrgencyReason.SAFETY, UrgencyReason.MONEY, UrgencyReason.TIME_LIMIT


def urgency(kind: Kind, reasons: tuple[UrgencyReason, ...], followers: int) -> pb.Urgency:
    judgement = Judgement(CATEGORY_OF[kind], False, {}, "en", (), "models/some@1", kind, 3, reasons)
    received = make_post_received()
    received.post.reach.followers = followers
    return urgency_of(judgement, received.post)


@pytest.mark.parametrize(
    ("kind", "reasons", "unseen", "seen_by_many"),
    [
        (Kind.INFORMATION_REQUEST, (), NORMAL, NORMAL),
        (Kind.PRAISE, (), NORMAL, NORMAL),
        (Kind.INFORMATION_REQUEST, (TIME,), RAISED, RAISED),
        (Kind.INFORMATION_REQUEST, (MONEY,), RAISED, HIGH),
        (Kind.SERVICE_PROBLEM, (), NORMAL, RAISED),
        (Kind.SERVICE_PROBLEM, (TIME,), RAISED, HIGH),
        (Kind.BUG_REPORT, (TIME, MONEY), HIGH, HIGH),
        (Kind.INFORMATION_REQUEST, (SAFETY,), CRITICAL, CRITICAL),
    ],
)
def test_many_eyes_raise_what_is_at_risk_and_nothing_else(
    kind: Kind,
    reasons: tuple[UrgencyReason, ...],
    unseen: pb.UrgencyLevel.ValueType,
    seen_by_many: pb.UrgencyLevel.ValueType,
) -> None:
    assert urgency(kind, reasons, REACH_THAT_COUNTS - 1).level == unseen
    assert urgency(kind, reasons, REACH_THAT_COUNTS).level == seen_by_many


def test_many_eyes_are_told_of_whatever_was_said() -> None:
    found = urgency(Kind.PRAISE, (TIME,), REACH_THAT_COUNTS)

    assert list(found.reasons) == [pb.URGENCY_REASON_TIME_LIMIT, pb.URGENCY_REASON_PUBLIC_REACH]
