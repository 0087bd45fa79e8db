"""What records say to feedback: golden examples of every topic, and what is refused."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from ascolto.classification.v1 import classification_pb2 as classification
from ascolto.insights.v1 import insights_service_pb2 as pb
from ascolto.posts.v1 import post_pb2 as posts
from chassis.errors import NeverRetry
from chassis.messages import Record
from contracts.codec import encode
from contracts.examples import FOLDER, examples, read_example
from contracts.topics import COMPLAINTS, FEEDBACK, OTHER, QUESTIONS, REPLIES, consumed_by
from services.feedback.facts import Answered, Unused, read, without_text
from services.feedback.projection import Heard
from tests.corrections import correction_of
from tests.factories import NOW, make_event, make_post_classified

COMPLAINT = classification.CATEGORY_COMPLAINT

CAPTURED = [
    pytest.param(record, id=f"{topic.name}-{number}")
    for topic in consumed_by(FEEDBACK)
    for number, (record, _) in enumerate(examples(topic))
]


def as_record(message: Message) -> Record:
    outgoing = encode(COMPLAINTS, "c", make_event(message))
    return Record(outgoing.topic, 0, 0, 0, outgoing.key, outgoing.value, outgoing.headers)


def example(topic: str, name: str) -> Record:
    of_topic = next(each for each in consumed_by(FEEDBACK) if each.name == topic)
    return read_example(of_topic, FOLDER / topic / f"{name}.json")[0]


def heard(record: Record) -> Heard:
    fact = read(record)
    assert isinstance(fact, Heard)
    return fact


@pytest.mark.parametrize("record", CAPTURED)
def test_every_golden_example_is_read(record: Record) -> None:
    assert str(read(record).event_id) == dict(record.headers)["ce_id"].decode()


def test_a_complaint_is_read_as_it_was_said() -> None:
    fact = heard(example(COMPLAINTS.name, "complaint"))
    post = fact.post
    assert (post.tenant, post.network, post.language, post.category) == ("lumora", "x", "en", "complaint")
    assert post.event_time == datetime(2026, 11, 3, 9, 15, 2, 120000, tzinfo=UTC)
    assert "my lamp is offline" in pb.PostEvidence.FromString(fact.evidence or b"").post.utterance.text


def test_an_insight_holds_nothing_that_was_said() -> None:
    payload = heard(example(COMPLAINTS.name, "complaint")).insight
    for said in (b"offline", b"marta_reads", b"ldf2nlak3y53xpwvqbadxmfmxu"):
        assert said not in payload
    assert b"offline" in (heard(example(COMPLAINTS.name, "complaint")).evidence or b"")


def test_an_own_post_and_a_deletion_leave_no_evidence() -> None:
    own, deleted = heard(example(OTHER.name, "own_post")), heard(example(OTHER.name, "deleted"))
    assert (own.evidence, deleted.evidence) == (None, None)
    for gone in (own, deleted):
        assert pb.Insight.FromString(gone.insight).post_removed.post == gone.post.post_name


def test_a_sent_answer_names_its_posts() -> None:
    fact = read(example(REPLIES.name, "sent"))
    assert isinstance(fact, Answered)
    assert list(pb.Insight.FromString(fact.insight.payload).posts_answered.posts) == list(fact.posts)


@pytest.mark.parametrize("name", ["drafted", "approved", "sending", "failed", "not_due", "unresolved"])
def test_other_facts_of_an_answer_are_not_used_yet(name: str) -> None:
    assert isinstance(read(example(REPLIES.name, name)), Unused)


def test_without_a_time_of_the_network_the_time_of_hearing_counts() -> None:
    post = heard(as_record(make_post_classified(create_time=None))).post
    assert post.event_time == post.heard_at == NOW


def correction() -> Record:
    outgoing = correction_of(make_post_classified(decision=classification.DECISION_ABSTAINED), COMPLAINT)
    return Record(outgoing.topic, 0, 0, 0, outgoing.key, outgoing.value, outgoing.headers)


def test_a_correction_says_what_a_post_is_by_a_persons_authority() -> None:
    fact = heard(correction())
    assert (fact.post.category, fact.post.decision, fact.post.authority) == ("complaint", "corrected", "person")
    assert (fact.post.event_time, fact.heard_at) == (NOW, NOW + timedelta(hours=1))


def test_a_correction_is_shown_with_the_post_and_without_the_persons_reason() -> None:
    evidence = heard(correction()).evidence or b""
    assert pb.PostEvidence.FromString(evidence).classification.stage == classification.STAGE_PERSON
    assert b"they want an answer" not in evidence


@pytest.mark.parametrize(("language", "kept"), [("pt-BR", "pt"), ("EN", "en"), ("", "und")])
def test_languages_are_primary_subtags(language: str, kept: str) -> None:
    message = make_post_classified()
    message.classification.language = language
    assert heard(as_record(message)).post.language == kept


def spoilt(how: str) -> classification.PostClassified:
    message = make_post_classified()
    match how:
        case "no uuid":
            message.post_event_id = "7"
        case "no time":
            message.post.create_time.CopyFrom(Timestamp(seconds=10**13))
        case "first hour":
            message.post.create_time.CopyFrom(Timestamp(seconds=-62_135_596_800))
        case "nul":
            message.post.network = "a\x00b"
    return message


@pytest.mark.parametrize("how", ["no uuid", "no time", "first hour", "nul"])
def test_what_cannot_be_kept_is_refused_for_good(how: str) -> None:
    with pytest.raises(NeverRetry, match="FIELD_INVALID"):
        read(as_record(spoilt(how)))


def test_an_answer_to_another_tenants_post_is_refused() -> None:
    record = example(REPLIES.name, "sent")
    value = (record.value or b"").replace(b"tenants/lumora/posts/", b"tenants/globex/posts/")
    with pytest.raises(NeverRetry, match="TENANT_MISMATCH"):
        read(replace(record, value=value))


def test_what_is_left_of_a_post_is_its_shape() -> None:
    message = make_post_classified(text="SECRET")
    message.post.permalink = "https://social.example/ada/1"
    message.classification.evidence.add(output="category", feature="word:secret")
    evidence = pb.PostEvidence(post=message.post, classification=message.classification)
    outline = without_text(evidence)
    assert (outline.post.name, outline.classification.category) == (message.post.name, classification.CATEGORY_QUESTION)
    assert outline.post == posts.Post.FromString(outline.post.SerializeToString())
    assert b"secret" not in outline.SerializeToString().lower()
    assert not {"utterance", "permalink"} & {descriptor.name for descriptor, _ in outline.post.ListFields()}


def test_an_insight_names_nobody_by_the_networks_ids() -> None:
    """Where a network has no thread of its own, its id is who writes: a number of the brand and a phone."""
    phone = "4915200000000"
    message = make_post_classified(native_id=f"wamid.{phone}", thread=f"4930000:{phone}")
    message.post.native_parent_id = f"wamid.{phone}.1"
    fact = heard(as_record(message))
    assert phone.encode() in (fact.evidence or b"")
    assert phone.encode() not in fact.insight


def test_questions_are_questions() -> None:
    assert heard(example(QUESTIONS.name, "question")).post.category == "question"
