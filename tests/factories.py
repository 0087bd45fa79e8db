"""Valid messages with as little as a test needs to say."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from ascolto.classification.v1 import classification_pb2 as classification
from ascolto.posts.v1 import post_pb2 as posts
from contracts import identity
from contracts.codec import Event, Metadata

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
KEY = b"k" * 32
_CATEGORIES = (
    classification.CATEGORY_QUESTION,
    classification.CATEGORY_COMPLAINT,
    classification.CATEGORY_FEEDBACK,
    classification.CATEGORY_OTHER,
)


def timestamp(time: datetime) -> Timestamp:
    stamp = Timestamp()
    stamp.FromDatetime(time)
    return stamp


def make_post(  # noqa: PLR0913 - every field that a test may vary
    *,
    tenant: str = "acme",
    integration: str = "acme-x",
    network: str = "x",
    native_id: str | None = None,
    thread: str | None = None,
    text: str = "Why does my lamp blink?",
    author: str = "u1",
    own: bool = False,
    revision: int = 1,
    state: posts.State.ValueType = posts.STATE_LIVE,
    kind: posts.Kind.ValueType = posts.KIND_PUBLIC_POST,
    language: str | None = None,
    create_time: datetime | None = NOW,
) -> posts.Post:
    native_id = native_id or uuid4().hex
    thread = thread or native_id
    conversation = identity.conversation_id(KEY, tenant, network, integration, thread)
    utterance = None
    if state != posts.STATE_DELETED:
        subject = identity.subject(KEY, tenant, network, author)
        utterance = posts.Utterance(author=posts.Author(subject=subject), text=text, language_hint=language)
    return posts.Post(
        name=identity.post_name(tenant, identity.post_id(tenant, integration, native_id)),
        conversation=identity.conversation_name(tenant, conversation),
        integration=integration,
        network=network,
        kind=kind,
        native_id=native_id,
        native_thread_id=thread,
        create_time=timestamp(create_time) if create_time else None,
        revision=revision,
        state=state,
        direction=posts.DIRECTION_OWN if own else posts.DIRECTION_INBOUND,
        utterance=utterance,
    )


def change_of(post: posts.Post) -> posts.PostReceived.Change.ValueType:
    return {
        posts.STATE_LIVE: posts.PostReceived.CHANGE_CREATED,
        posts.STATE_EDITED: posts.PostReceived.CHANGE_EDITED,
        posts.STATE_DELETED: posts.PostReceived.CHANGE_DELETED,
    }[post.state]


def post_event_id(post: posts.Post) -> UUID:
    change = posts.PostReceived.Change.Name(change_of(post)).removeprefix("CHANGE_").lower()
    tenant = identity.tenant_of(post.name)
    return identity.post_event_id(tenant, post.integration, post.native_id, post.revision, change)


def make_post_received(**overrides: Any) -> posts.PostReceived:
    post = make_post(**overrides)
    return posts.PostReceived(post=post, change=change_of(post))


def make_classification(
    category: classification.Category.ValueType = classification.CATEGORY_QUESTION,
    decision: classification.Decision.ValueType = classification.DECISION_ASSIGNED,
    language: str | None = "en",
) -> classification.Classification:
    probabilities = [
        classification.CategoryProbability(category=each, probability=0.91 if each == category else 0.03)
        for each in _CATEGORIES
    ]
    return classification.Classification(
        category=category,
        decision=decision,
        probabilities=probabilities,
        language=language,
        reasons=["signal:question_mark"],
        model="models/test@1",
    )


def make_post_classified(
    category: classification.Category.ValueType = classification.CATEGORY_QUESTION,
    decision: classification.Decision.ValueType = classification.DECISION_ASSIGNED,
    **overrides: Any,
) -> classification.PostClassified:
    post = make_post(**overrides)
    return classification.PostClassified(
        post=post,
        change=change_of(post),
        classification=make_classification(category, decision, overrides.get("language") or "en"),
        post_event_id=str(post_event_id(post)),
    )


def make_event(message: Message, *, event_id: UUID | None = None, time: datetime = NOW) -> Event[Message]:
    """An event around a message that holds a post, as its producer would make it."""
    post = message.post  # type: ignore[attr-defined] # both messages of this file have one
    source_id = post_event_id(post)
    if event_id is None:
        classified = isinstance(message, classification.PostClassified)
        event_id = identity.classification_event_id(source_id, "models/test@1") if classified else source_id
    metadata = Metadata(
        event_id=event_id,
        source="/ascolto/test",
        subject=post.name,
        time=time,
        tenant=identity.tenant_of(post.name),
        correlation_id=str(source_id),
        causation_id=str(source_id),
    )
    return Event(metadata, message)
