"""From a record to what it decided, without any I/O: whatever cannot be used is a `NeverRetry`."""

from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from ascolto.classification.v1 import classification_pb2 as pb
from ascolto.posts.v1 import post_pb2 as posts
from chassis.errors import NeverRetry
from chassis.messages import Record
from contracts.codec import Metadata, decode
from contracts.identity import last_segment
from services.routing.standing import MODEL, PERSON, Decided, Fact, head_start
from services.routing.vocabulary import (
    CATEGORY_WORDS,
    DECISION_WORDS,
    KIND_WORDS,
    NO_KIND,
    STAGE_WORDS,
    primary_language,
)

_FIRST: Final = datetime(1, 1, 3, tzinfo=UTC)
_LAST: Final = datetime(9999, 12, 29, tzinfo=UTC)
"""Days inside what a datetime can hold, so that a time with its head start and its local forms exists."""
_QUOTING: Final = ("word:", "model:")
"""What begins so may hold words of the post: the word that spoke, or what a language model says of it."""


def read(record: Record) -> Fact:
    """What a record of a topic of classifications, or of corrections, decided."""
    event = decode(record)
    if isinstance(event.message, pb.PostClassified):
        return classified(event.metadata, event.message, record.value)
    if isinstance(event.message, pb.CategoryCorrected):
        return corrected(event.metadata, event.message)
    raise NeverRetry("TYPE_UNEXPECTED", f"routing does not read {event.message.DESCRIPTOR.full_name} back")


def classified(metadata: Metadata, message: pb.PostClassified, value: bytes | None = None) -> Fact:
    """What a classification decided; `value` is the message serialized, where that is at hand."""
    return Fact(_decided(metadata, message, value, None), outline_of(message))


def corrected(metadata: Metadata, message: pb.CategoryCorrected) -> Fact:
    """What a correction decided."""
    return Fact(_decided(metadata, message.corrected, None, message), outline_of(message.corrected))


def outline_of(message: pb.PostClassified) -> bytes:
    """What may be kept whatever becomes of the post: the decision, without the words that spoke for it."""
    judged = pb.Classification()
    judged.CopyFrom(message.classification)
    del judged.reasons[:]
    judged.reasons.extend(reason for reason in message.classification.reasons if not reason.startswith(_QUOTING))
    del judged.evidence[:]
    judged.evidence.extend(each for each in message.classification.evidence if not each.feature.startswith(_QUOTING))
    outline = pb.PostClassified(change=message.change, classification=judged, post_event_id=message.post_event_id)
    if message.HasField("handling"):
        outline.handling.CopyFrom(message.handling)
    return outline.SerializeToString(deterministic=True)


def _decided(
    metadata: Metadata, message: pb.PostClassified, value: bytes | None, correction: pb.CategoryCorrected | None
) -> Decided:
    post, judged = message.post, message.classification
    decided_at = _utc(metadata.time)
    deleted = post.state == posts.STATE_DELETED
    by, reason = (correction.corrected_by, correction.reason) if correction else (None, None)
    _storable(post.name, post.conversation, post.network, judged.language, judged.model, by or "", reason or "")
    _check_uuid(message.post_event_id)
    return Decided(
        post_name=post.name,
        tenant=metadata.tenant,
        conversation=last_segment(post.conversation),
        network=post.network,
        language=primary_language(judged.language),
        revision=post.revision,
        deleted=deleted,
        authority=PERSON if judged.decision == pb.DECISION_CORRECTED else MODEL,
        decided_at=decided_at,
        event_id=metadata.event_id,
        category=CATEGORY_WORDS[judged.category],
        kind=KIND_WORDS.get(judged.kind, NO_KIND),
        decision=DECISION_WORDS[judged.decision],
        stage=STAGE_WORDS.get(judged.stage, STAGE_WORDS[pb.STAGE_UNSPECIFIED]),
        model=judged.model or None,
        probability=_probability(judged),
        heard_at=decided_at,
        priority_at=decided_at - head_start(message),
        payload=None if deleted else value or message.SerializeToString(deterministic=True),
        corrected_by=by,
        correction_reason=reason,
    )


def _probability(judged: pb.Classification) -> float | None:
    """Of the category that stands."""
    return next((each.probability for each in judged.probabilities if each.category == judged.category), None)


def _storable(*words: str) -> None:
    """PostgreSQL keeps any text but one with a NUL in it."""
    if any("\x00" in word for word in words):
        raise NeverRetry("FIELD_INVALID", "a name, network, language, model or reason holds a NUL character")


def _check_uuid(post_event_id: str) -> None:
    try:
        UUID(post_event_id)
    except ValueError as error:
        raise NeverRetry("FIELD_INVALID", "post_event_id is no UUID") from error


def _utc(time: datetime) -> datetime:
    if not _FIRST <= time <= _LAST:
        raise NeverRetry("FIELD_INVALID", "ce_time is no time between the years 1 and 9999")
    return time.astimezone(UTC)
