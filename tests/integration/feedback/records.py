"""Records as they stand on the topics that feedback reads, with as little as a test needs to say."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from google.protobuf.message import Message

from ascolto.classification.v1 import classification_pb2 as classification
from ascolto.coverage.v1 import coverage_pb2 as coverage
from ascolto.posts.v1 import post_pb2 as posts
from ascolto.replies.v1 import reply_event_pb2 as replies
from chassis.messages import Outgoing, Record
from contracts import identity
from contracts.codec import Event, Metadata, encode
from contracts.topics import COMPLAINTS, COVERAGE, FEEDBACKS, OTHER, QUESTIONS, REPLIES, TRIAGE
from services.feedback.facts import Fact, read
from tests.corrections import correction_of
from tests.factories import NOW, make_event, make_post_classified, timestamp

_TOPICS = {
    classification.CATEGORY_QUESTION: QUESTIONS,
    classification.CATEGORY_COMPLAINT: COMPLAINTS,
    classification.CATEGORY_FEEDBACK: FEEDBACKS,
    classification.CATEGORY_OTHER: OTHER,
}


def classified(
    category: classification.Category.ValueType = classification.CATEGORY_COMPLAINT,
    *,
    time: datetime = NOW,
    **parts: Any,
) -> Outgoing:
    """A classified post on the topic of its category; `parts` are those of `make_post`."""
    gone = parts.get("state") == posts.STATE_DELETED
    decision = parts.pop("decision", classification.DECISION_RULE if gone else classification.DECISION_ASSIGNED)
    message = make_post_classified(category, decision, **parts)
    topic = TRIAGE if decision == classification.DECISION_ABSTAINED else OTHER if gone else _TOPICS[category]
    return encode(topic, identity.last_segment(message.post.conversation), make_event(message, time=time))


def deleted(**parts: Any) -> Outgoing:
    """The deletion of a post, as routing passes it on."""
    return classified(classification.CATEGORY_OTHER, state=posts.STATE_DELETED, **parts)


def edited(
    category: classification.Category.ValueType = classification.CATEGORY_COMPLAINT, *, revision: int = 2, **parts: Any
) -> Outgoing:
    return classified(category, state=posts.STATE_EDITED, revision=revision, **parts)


def corrected(
    category: classification.Category.ValueType = classification.CATEGORY_QUESTION,
    *,
    time: datetime = NOW + timedelta(hours=1),
    **parts: Any,
) -> Outgoing:
    """What a person says of the post that `parts` make."""
    return correction_of(make_post_classified(**parts), category, time=time)


def reply(fact: Message, *names: str, tenant: str = "acme", conversation: str = "c") -> Outgoing:
    """A fact of an answer to the posts of these names."""
    message = replies.ReplyEvent(
        reply=identity.reply_name(tenant, uuid4()),
        conversation=identity.conversation_name(tenant, conversation),
        answers=names,
        target=replies.Target(network="x", kind=posts.KIND_PUBLIC_POST),
        event_time=timestamp(NOW),
    )
    getattr(message, type(fact).__name__.lower()).CopyFrom(fact)
    metadata = Metadata(uuid4(), "/ascolto/responder", message.reply, NOW, tenant, str(uuid4()))
    event: Event[Message] = Event(metadata, message)
    return encode(REPLIES, conversation, event)


def sent(*names: str, **parts: Any) -> Outgoing:
    return reply(replies.Sent(native_id="n", attempt=1), *names, **parts)


def covered(  # noqa: PLR0913 - what an event may say
    state: coverage.CoverageState.ValueType,
    *,
    since: datetime = NOW,
    until: datetime | None = None,
    told: datetime | None = None,
    integration: str = "acme-x",
    network: str = "x",
    tenant: str = "acme",
) -> Outgoing:
    """A change of an account's coverage, told at its beginning; with `until` a gap of the past."""
    told = told or until or since
    event_id = identity.coverage_event_id(tenant, integration, coverage.CoverageState.Name(state), told.isoformat())
    message = coverage.CoverageChanged(
        integration=integration, network=network, state=state, reason="SILENT", since=timestamp(since)
    )
    if until is not None:
        message.until.CopyFrom(timestamp(until))
    subject = identity.integration_name(tenant, integration)
    metadata = Metadata(event_id, "/ascolto/ingest", subject, told, tenant, str(event_id))
    event: Event[Message] = Event(metadata, message)
    return encode(COVERAGE, integration, event)


def as_record(outgoing: Outgoing, offset: int = 0) -> Record:
    """What a consumer reads of what was written."""
    return Record(outgoing.topic, 0, offset, 0, outgoing.key, outgoing.value, outgoing.headers)


def facts_of(outgoing: Iterable[Outgoing]) -> list[Fact]:
    return [read(as_record(each)) for each in outgoing]


def name_of(native_id: str, tenant: str = "acme", integration: str = "acme-x") -> str:
    return identity.post_name(tenant, identity.post_id(tenant, integration, native_id))


def history(tenant: str = "acme") -> Sequence[Outgoing]:
    """Creations, edits, deletions, an answer and a gap over several topics."""
    question = classification.CATEGORY_QUESTION
    told = [classified(native_id=f"n{number}", text=f"text {number}", tenant=tenant) for number in range(6)]
    return [
        *told,
        edited(question, native_id="n0", text="text 0 again", tenant=tenant),
        edited(native_id="n1", revision=3, tenant=tenant),
        edited(native_id="n1", revision=2, tenant=tenant),
        deleted(native_id="n2", tenant=tenant),
        classified(native_id="own", own=True, tenant=tenant),
        classified(native_id="unsure", decision=classification.DECISION_ABSTAINED, tenant=tenant),
        sent(name_of("n3", tenant), tenant=tenant),
        covered(coverage.COVERAGE_STATE_SILENT, tenant=tenant),
        covered(coverage.COVERAGE_STATE_HEARING, since=NOW + timedelta(hours=1), tenant=tenant),
        covered(coverage.COVERAGE_STATE_FAILING, until=NOW + timedelta(hours=2), tenant=tenant),
    ]


def disputed(tenant: str = "acme") -> Sequence[Outgoing]:
    """The same, and what people said of some posts: of one that was edited, of one that nothing else tells the time."""
    feedback = classification.CATEGORY_FEEDBACK
    return [
        *history(tenant),
        corrected(native_id="unsure", tenant=tenant),
        corrected(native_id="n3", text="text 3", tenant=tenant),
        corrected(feedback, native_id="n3", text="text 3", time=NOW + timedelta(hours=2), tenant=tenant),
        corrected(feedback, native_id="n0", text="text 0", tenant=tenant),
        corrected(native_id="n2", text="text 2", tenant=tenant),
        classified(native_id="undated", create_time=None, tenant=tenant),
        corrected(native_id="undated", create_time=None, tenant=tenant),
    ]
