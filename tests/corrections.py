"""Corrections as routing publishes them: what a person, or a model that was promoted, says of a classified post."""

from datetime import datetime, timedelta
from uuid import UUID

from ascolto.classification.v1 import classification_pb2 as classification
from chassis.messages import Outgoing
from contracts import identity
from contracts.codec import Event, Metadata, encode
from contracts.topics import CORRECTIONS
from tests.factories import NOW

PERSON = "users/ann"


def make_corrected(
    message: classification.PostClassified,
    category: classification.Category.ValueType,
    *,
    by: str = PERSON,
    decision: classification.Decision.ValueType | None = None,
) -> classification.CategoryCorrected:
    """That a classified post is of `category`."""
    corrected = classification.PostClassified()
    corrected.CopyFrom(message)
    corrected.classification.category = category
    person = by == PERSON
    corrected.classification.decision = decision or (
        classification.DECISION_CORRECTED if person else classification.DECISION_ASSIGNED
    )
    corrected.classification.stage = classification.STAGE_PERSON if person else classification.STAGE_ENCODER
    return classification.CategoryCorrected(
        corrected=corrected,
        was=message.classification.category,
        was_decision=message.classification.decision,
        corrected_by=by,
        reason="they want an answer",
    )


def correction_of(
    message: classification.PostClassified,
    category: classification.Category.ValueType,
    *,
    time: datetime = NOW + timedelta(hours=1),
    by: str = PERSON,
    decision: classification.Decision.ValueType | None = None,
) -> Outgoing:
    """The record of a correction made at `time`."""
    corrected = make_corrected(message, category, by=by, decision=decision)
    post = message.post
    metadata = Metadata(
        event_id=identity.correction_event_id(UUID(message.post_event_id), f"{by}@{category}@{time.isoformat()}"),
        source="/ascolto/routing",
        subject=post.name,
        time=time,
        tenant=identity.tenant_of(post.name),
        correlation_id=message.post_event_id,
        causation_id=message.post_event_id,
    )
    return encode(CORRECTIONS, identity.last_segment(post.conversation), Event(metadata, corrected))
