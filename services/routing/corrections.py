"""What becomes of a classification that somebody replaces: pure."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias
from uuid import UUID

from ascolto.classification.v1 import classification_pb2 as pb
from ascolto.posts.v1 import post_pb2 as posts
from chassis.messages import Outgoing
from contracts import identity
from contracts.codec import Event, Metadata, encode
from contracts.topics import CORRECTIONS
from services.routing.labels import Label, labelled
from services.routing.standing import moment_after

SOURCE: Final = "/ascolto/routing"

Handle: TypeAlias = Callable[[pb.Classification, posts.Post, datetime], pb.Handling | None]
"""What a tenant's rules make of a classification of a post, heard then; None where the tenant has none."""

Correction: TypeAlias = Event[pb.CategoryCorrected]


def no_rules(_classification: pb.Classification, _post: posts.Post, _heard_at: datetime) -> pb.Handling | None:
    """Of a tenant without rules."""
    return None


@dataclass(frozen=True, slots=True)
class Standing:
    """The decision that somebody replaces."""

    message: pb.PostClassified
    tenant: str
    event_id: UUID
    decided_at: datetime
    heard_at: datetime
    """When ingest accepted the post: deadlines count from there."""


def correct(standing: Standing, label: Label, handle: Handle) -> Correction:
    """The event by which `label` replaces what stands; it outranks that."""
    classification = labelled(standing.message.classification, label)
    at = moment_after(standing.decided_at, label.corrected_at)
    return correction_of(
        standing, classification, handle, by=label.author, at=at, who=label.corrected_by, reason=label.reason
    )


def correction_of(  # noqa: PLR0913 - what the event says
    standing: Standing,
    classification: pb.Classification,
    handle: Handle,
    *,
    by: str,
    at: datetime,
    who: str,
    reason: str,
) -> Correction:
    """The event by which `classification` replaces what stands; `by` tells its id apart from those of others."""
    post_event_id = standing.message.post_event_id
    metadata = Metadata(
        event_id=identity.correction_event_id(UUID(post_event_id), by),
        source=SOURCE,
        subject=standing.message.post.name,
        time=at,
        tenant=standing.tenant,
        correlation_id=post_event_id,
        causation_id=str(standing.event_id),
    )
    message = pb.CategoryCorrected(
        corrected=_reclassified(standing, classification, handle),
        was=standing.message.classification.category,
        was_decision=standing.message.classification.decision,
        corrected_by=who,
        reason=reason,
    )
    return Event(metadata, message)


def _reclassified(standing: Standing, classification: pb.Classification, handle: Handle) -> pb.PostClassified:
    """The same post, classified otherwise and handled accordingly."""
    found = pb.PostClassified()
    found.CopyFrom(standing.message)
    found.classification.CopyFrom(classification)
    found.ClearField("handling")
    handling = handle(classification, standing.message.post, standing.heard_at)
    if handling is not None:
        found.handling.CopyFrom(handling)
    return found


def outgoing(correction: Correction) -> Outgoing:
    """The record of a correction."""
    return encode(CORRECTIONS, identity.last_segment(correction.message.corrected.post.conversation), correction)
