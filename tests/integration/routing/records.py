"""Records as they stand on the topics that routing reads back, with as little as a test needs to say."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from ascolto.classification.v1 import classification_pb2 as classification
from ascolto.posts.v1 import post_pb2 as posts
from chassis.messages import Outgoing, Record
from contracts import identity
from contracts.codec import encode
from services.routing.facts import read
from services.routing.routes import route
from services.routing.standing import Fact
from tests.corrections import correction_of
from tests.factories import NOW, make_event, make_post_classified

QUESTION, COMPLAINT, OTHER = (
    classification.CATEGORY_QUESTION,
    classification.CATEGORY_COMPLAINT,
    classification.CATEGORY_OTHER,
)
ABSTAINED, RULE = classification.DECISION_ABSTAINED, classification.DECISION_RULE


def classified(  # noqa: PLR0913 - every part that a test may vary
    category: classification.Category.ValueType = COMPLAINT,
    decision: classification.Decision.ValueType = classification.DECISION_ASSIGNED,
    *,
    time: datetime = NOW,
    urgency: classification.UrgencyLevel.ValueType = classification.URGENCY_LEVEL_NORMAL,
    priority: classification.Priority.ValueType | None = None,
    stage: classification.Stage.ValueType = classification.STAGE_UNSPECIFIED,
    **parts: Any,
) -> Outgoing:
    """A classified post on the topic of its category; `parts` are those of `make_post`."""
    message = make_post_classified(category, decision, **parts)
    message.classification.urgency.level = urgency
    message.classification.stage = stage
    if priority is not None:
        message.handling.priority = priority
    topic = route(message.classification)
    return encode(topic, identity.last_segment(message.post.conversation), make_event(message, time=time))


def unsure(**parts: Any) -> Outgoing:
    """A post that waits for a person."""
    return classified(OTHER, ABSTAINED, **parts)


def edited(revision: int = 2, **parts: Any) -> Outgoing:
    return classified(state=posts.STATE_EDITED, revision=revision, **parts)


def deleted(**parts: Any) -> Outgoing:
    return classified(OTHER, RULE, state=posts.STATE_DELETED, **parts)


def corrected(
    category: classification.Category.ValueType = QUESTION,
    *,
    time: datetime = NOW + timedelta(hours=1),
    **parts: Any,
) -> Outgoing:
    """What a person says of the post that `parts` make."""
    return correction_of(make_post_classified(**parts), category, time=time)


def promoted(category: classification.Category.ValueType = OTHER, **parts: Any) -> Outgoing:
    """What a later model says of it."""
    time = NOW + timedelta(days=1)
    return correction_of(make_post_classified(**parts), category, time=time, by="models/later@2")


def as_record(outgoing: Outgoing, offset: int = 0) -> Record:
    """What a consumer reads of what was written."""
    return Record(outgoing.topic, 0, offset, 0, outgoing.key, outgoing.value, outgoing.headers)


def facts_of(outgoing: Iterable[Outgoing]) -> list[Fact]:
    return [read(as_record(each)) for each in outgoing]


def name_of(native_id: str, tenant: str = "acme", integration: str = "acme-x") -> str:
    return identity.post_name(tenant, identity.post_id(tenant, integration, native_id))


def history(tenant: str = "acme") -> Sequence[Outgoing]:
    """Creations, edits, deletions and corrections over several topics, with the later word before the earlier one."""
    later = NOW + timedelta(minutes=5)
    return [
        *(classified(native_id=f"n{number}", text=f"text {number}", tenant=tenant) for number in range(7)),
        edited(native_id="n0", text="text 0 again", tenant=tenant, time=later),
        edited(3, native_id="n1", tenant=tenant, time=later),
        edited(2, native_id="n1", tenant=tenant, time=later),
        deleted(native_id="n2", tenant=tenant, time=later),
        corrected(native_id="n3", text="text 3", tenant=tenant),
        promoted(native_id="n3", text="text 3", tenant=tenant),
        promoted(native_id="n4", text="text 4", tenant=tenant),
        corrected(native_id="n5", text="text 5", tenant=tenant),
        edited(native_id="n5", text="text 5 again", tenant=tenant, time=later),
        corrected(native_id="n6", tenant=tenant),
        deleted(native_id="n6", tenant=tenant, time=later),
        unsure(native_id="n7", tenant=tenant),
        classified(OTHER, RULE, native_id="own", own=True, tenant=tenant),
    ]


def by_language_model(native_id: str, text: str) -> Outgoing:
    return classified(native_id=native_id, text=text, stage=classification.STAGE_LANGUAGE_MODEL)
