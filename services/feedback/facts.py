"""From a record to what it means here, without any I/O: whatever cannot be used is a `NeverRetry`."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, TypeAlias
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp

from ascolto.classification.v1.classification_pb2 import DECISION_CORRECTED, CategoryCorrected, PostClassified
from ascolto.coverage.v1.coverage_pb2 import COVERAGE_STATE_HEARING, CoverageChanged
from ascolto.insights.v1 import insights_service_pb2 as insights
from ascolto.replies.v1.reply_event_pb2 import ReplyEvent
from chassis.errors import NeverRetry
from chassis.messages import Record
from contracts.codec import Metadata, decode
from contracts.identity import tenant_of
from services.feedback.projection import Heard, Insight, Post
from services.feedback.vocabulary import (
    CATEGORY_WORDS,
    DECISION_WORDS,
    DIRECTION_WORDS,
    MODEL,
    PERSON,
    STATE_WORDS,
    primary_language,
)

_FIRST: Final = datetime(1, 1, 2, tzinfo=UTC)
_LAST: Final = datetime(9999, 12, 30, tzinfo=UTC)
"""A day inside what a datetime can hold, so that the hour of a time and its local forms exist."""
_PERSONAL: Final = ("utterance", "permalink", "native_id", "native_parent_id", "native_thread_id")
"""Of a post."""


@dataclass(frozen=True, slots=True)
class Answered:
    """The brand's answer to some posts was sent."""

    event_id: UUID
    tenant: str
    reply: str
    posts: tuple[str, ...]
    insight: Insight
    heard_at: datetime


@dataclass(frozen=True, slots=True)
class Covered:
    """A connected account hears, or no longer; or something of the past was not heard."""

    event_id: UUID
    tenant: str
    integration: str
    network: str
    hears: bool
    since: datetime
    until: datetime | None
    """Set: it tells of the past alone."""
    payload: bytes
    """CoverageChanged."""
    insight: Insight
    heard_at: datetime

    @property
    def rank(self) -> tuple[datetime, UUID]:
        """What was told later stands, whenever that began."""
        return self.heard_at, self.event_id


@dataclass(frozen=True, slots=True)
class Unused:
    """An event that teaches nothing yet; it is claimed all the same, so that the ledger sees it arrive."""

    event_id: UUID


Fact: TypeAlias = Heard | Answered | Covered | Unused


def read(record: Record) -> Fact:
    """What a record of a consumed topic says, or `NeverRetry`."""
    event = decode(record)
    if isinstance(event.message, PostClassified):
        return _heard(event.metadata, event.message)
    if isinstance(event.message, CategoryCorrected):
        return _heard(event.metadata, event.message.corrected)
    if isinstance(event.message, ReplyEvent):
        return _answered(event.metadata, event.message)
    if isinstance(event.message, CoverageChanged):
        return _covered(event.metadata, event.message)
    raise NeverRetry("TYPE_UNEXPECTED", f"feedback does not read {event.message.DESCRIPTOR.full_name}")


def without_text(evidence: insights.PostEvidence) -> insights.PostEvidence:
    """What may be kept of a post that was edited or deleted since: nothing that a person said or is called.

    A permalink may hold a handle, and a network's own id a telephone number; the reasons and the evidence of a
    classification quote words of the text.
    """
    outline = insights.PostEvidence()
    outline.CopyFrom(evidence)
    for field in _PERSONAL:
        outline.post.ClearField(field)
    outline.classification.ClearField("reasons")
    outline.classification.ClearField("evidence")
    return outline


def _heard(metadata: Metadata, message: PostClassified) -> Heard:
    post = _post(metadata, message)
    insight = insights.Insight(event_id=str(metadata.event_id))
    if post.cell is not None:
        evidence = insights.PostEvidence(post=message.post, classification=message.classification)
        insight.post.CopyFrom(without_text(evidence))
        return Heard(post, evidence.SerializeToString(deterministic=True), _bytes(insight))
    insight.post_removed.post = post.post_name
    return Heard(post, None, _bytes(insight))


def _post(metadata: Metadata, message: PostClassified) -> Post:
    post, classification = message.post, message.classification
    decided_at = _utc("ce_time", metadata.time)
    dated = post.HasField("create_time")
    _storable(post.name, post.network, post.integration, classification.language)
    return Post(
        post_name=post.name,
        tenant=metadata.tenant,
        event_id=metadata.event_id,
        post_event_id=_uuid("post_event_id", message.post_event_id),
        revision=post.revision,
        state=STATE_WORDS[post.state],
        direction=DIRECTION_WORDS[post.direction],
        category=CATEGORY_WORDS[classification.category],
        decision=DECISION_WORDS[classification.decision],
        authority=PERSON if classification.decision == DECISION_CORRECTED else MODEL,
        decided_at=decided_at,
        network=post.network,
        language=primary_language(classification.language),
        integration=post.integration,
        heard_at=decided_at,
        event_time=_stamped("post.create_time", post.create_time) if dated else decided_at,
        dated=dated,
    )


def _answered(metadata: Metadata, message: ReplyEvent) -> Fact:
    if not message.HasField("sent") or not message.answers:
        return Unused(metadata.event_id)
    _storable(message.reply, message.target.network, *message.answers)
    if any(tenant_of(name) != metadata.tenant for name in message.answers):
        raise NeverRetry("TENANT_MISMATCH", "answers names a post of another tenant than ce_tenantid says")
    answered = insights.PostsAnswered(posts=message.answers, reply=message.reply)
    insight = insights.Insight(event_id=str(metadata.event_id), posts_answered=answered)
    heard_at = _utc("ce_time", metadata.time)
    time = _stamped("event_time", message.event_time) if message.HasField("event_time") else heard_at
    return Answered(
        event_id=metadata.event_id,
        tenant=metadata.tenant,
        reply=message.reply,
        posts=tuple(dict.fromkeys(message.answers)),
        insight=_row(metadata, time, message.target.network or None, _bytes(insight)),
        heard_at=heard_at,
    )


def _covered(metadata: Metadata, message: CoverageChanged) -> Covered:
    _storable(message.integration, message.network, message.reason)
    since = _stamped("since", message.since)
    insight = insights.Insight(event_id=str(metadata.event_id), coverage_changed=message)
    return Covered(
        event_id=metadata.event_id,
        tenant=metadata.tenant,
        integration=message.integration,
        network=message.network,
        hears=message.state == COVERAGE_STATE_HEARING,
        since=since,
        until=_stamped("until", message.until) if message.HasField("until") else None,
        payload=message.SerializeToString(deterministic=True),
        insight=_row(metadata, since, message.network, _bytes(insight)),
        heard_at=_utc("ce_time", metadata.time),
    )


def _row(metadata: Metadata, time: datetime, network: str | None, payload: bytes) -> Insight:
    """An insight that carries names only."""
    return Insight(metadata.tenant, metadata.event_id, time, None, network, *(None,) * 6, payload)


def _bytes(insight: insights.Insight) -> bytes:
    return insight.SerializeToString(deterministic=True)


def _storable(*words: str) -> None:
    """PostgreSQL keeps any text but one with a NUL in it."""
    if any("\x00" in word for word in words):
        raise NeverRetry("FIELD_INVALID", "a name, network, integration or language holds a NUL character")


def _uuid(field: str, value: str) -> UUID:
    try:
        return UUID(value)
    except ValueError as error:
        raise NeverRetry("FIELD_INVALID", f"{field} is no UUID") from error


def _stamped(field: str, stamp: Timestamp) -> datetime:
    try:
        return _utc(field, stamp.ToDatetime(tzinfo=UTC))
    except (ValueError, OverflowError) as error:
        raise NeverRetry("FIELD_INVALID", f"{field} is no time between the years 1 and 9999") from error


def _utc(field: str, time: datetime) -> datetime:
    if not _FIRST <= time <= _LAST:
        raise NeverRetry("FIELD_INVALID", f"{field} is no time between the years 1 and 9999")
    return time.astimezone(UTC)


def touched_posts(facts: Iterable[Fact]) -> list[str]:
    """The names of the posts that `facts` change, each once."""
    return list(dict.fromkeys(fact.post.post_name for fact in facts if isinstance(fact, Heard)))
