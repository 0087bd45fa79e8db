"""Records to decisions: what can be used is used, what cannot is refused, and the history holds no text."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from ascolto.classification.v1 import classification_pb2 as pb
from ascolto.posts.v1 import post_pb2 as posts
from chassis.errors import NeverRetry
from chassis.messages import Outgoing, Record
from contracts import identity
from contracts.codec import encode
from contracts.examples import examples
from contracts.topics import CLASSIFIED, CORRECTIONS, POSTS, QUESTIONS
from services.routing.facts import outline_of, read
from services.routing.standing import MODEL, PERSON
from tests.corrections import correction_of
from tests.factories import NOW, make_event, make_post_classified


def record_of(outgoing: Outgoing) -> Record:
    return Record(outgoing.topic, 0, 0, 0, outgoing.key, outgoing.value, outgoing.headers)


def classified(message: pb.PostClassified, time: datetime = NOW) -> Record:
    return record_of(
        encode(QUESTIONS, identity.last_segment(message.post.conversation), make_event(message, time=time))
    )


def test_a_classification_decides_as_a_model() -> None:
    message = make_post_classified(pb.CATEGORY_COMPLAINT, language="pt-BR")
    record = classified(message)
    decided = read(record).decided
    assert (decided.category, decided.decision, decided.authority) == ("complaint", "assigned", MODEL)
    assert (decided.language, decided.kind, decided.stage) == ("pt", "unspecified", "none")
    assert decided.probability == pytest.approx(0.91)
    assert decided.payload == record.value


def test_a_correction_decides_as_a_person() -> None:
    message = make_post_classified()
    decided = read(record_of(correction_of(message, pb.CATEGORY_COMPLAINT))).decided
    assert (decided.authority, decided.decision, decided.corrected_by) == (PERSON, "corrected", "users/ann")
    assert pb.PostClassified.FromString(decided.payload or b"").post == message.post


def test_a_promotion_decides_as_a_model() -> None:
    correction = correction_of(make_post_classified(), pb.CATEGORY_COMPLAINT, by="models/b@2")
    decided = read(record_of(correction)).decided
    assert (decided.authority, decided.decision, decided.corrected_by) == (MODEL, "assigned", "models/b@2")


def test_nothing_is_kept_of_a_deleted_post() -> None:
    message = make_post_classified(pb.CATEGORY_OTHER, pb.DECISION_RULE, state=posts.STATE_DELETED)
    decided = read(classified(message)).decided
    assert (decided.deleted, decided.payload) == (True, None)


def test_the_outline_holds_nothing_that_was_said() -> None:
    message = make_post_classified(text="my SECRET")
    message.classification.reasons.append("word:SECRET")
    message.classification.evidence.add(output="category", feature="word:SECRET", start=3, end=9)
    message.classification.evidence.add(output="category", feature="signal:question_mark")
    outline = pb.PostClassified.FromString(outline_of(message))
    assert b"SECRET" not in outline_of(message)
    assert list(outline.classification.reasons) == ["signal:question_mark"]
    assert [each.feature for each in outline.classification.evidence] == ["signal:question_mark"]


@pytest.mark.parametrize(
    ("message", "time"),
    [
        (make_post_classified(network="a\x00b"), NOW),
        (make_post_classified(), datetime(1, 1, 1, tzinfo=UTC)),
        (pb.PostClassified(post_event_id="not a UUID"), NOW),
    ],
    ids=["NUL", "time", "post_event_id"],
)
def test_what_cannot_be_kept_is_refused(message: pb.PostClassified, time: datetime) -> None:
    good = make_post_classified()
    if message.post_event_id == "not a UUID":
        good.post_event_id = message.post_event_id
        message = good
    with pytest.raises(NeverRetry, match="FIELD_INVALID"):
        read(classified(message, time))


def test_a_record_of_another_topic_is_refused() -> None:
    [(record, _), *_] = examples(POSTS)
    with pytest.raises(NeverRetry, match="TYPE_UNEXPECTED"):
        read(record)


def test_golden_examples_are_read() -> None:
    facts = [read(record) for topic in (*CLASSIFIED, CORRECTIONS) for record, _ in examples(topic)]
    assert {fact.decided.decision for fact in facts} == {"assigned", "abstained", "rule", "corrected"}


def test_a_kind_and_a_stage_of_a_version_to_come_stop_nothing() -> None:
    message = make_post_classified()
    message.classification.kind = 4_000  # type: ignore[assignment] # that is the point
    message.classification.stage = 4_000  # type: ignore[assignment] # that is the point
    decided = read(replace(classified(message), offset=1)).decided
    assert (decided.kind, decided.stage) == ("unspecified", "none")
