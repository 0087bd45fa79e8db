"""What can happen to a reply, as values: the facts of `ReplyEvent` without protobuf."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar
from uuid import UUID


class StaleReason(StrEnum):
    """Why a draft no longer fits its conversation; the names are those of the proto."""

    NEWER_POST = "NEWER_POST"
    ANSWERED = "ANSWERED"
    POST_DELETED = "POST_DELETED"
    POST_EDITED = "POST_EDITED"
    EXPIRED = "EXPIRED"
    RECLASSIFIED = "RECLASSIFIED"


@dataclass(frozen=True, slots=True)
class Target:
    """Where an answer goes; `kind` is the name of a posts.v1.Kind without its prefix."""

    integration: str
    network: str
    kind: str
    native_thread_id: str
    native_parent_id: str


@dataclass(frozen=True, slots=True)
class Evidence:
    """The part of a knowledge article that a draft drew on."""

    article: str
    title: str
    language: str
    content_sha256: str
    passage: str


@dataclass(frozen=True, slots=True)
class Drafted:
    """A reply came into being; it carries what every later fact refers to."""

    name: ClassVar[str] = "drafted"
    at: datetime
    reply_id: UUID
    tenant: str
    conversation: str
    correlation_id: str
    answers: tuple[str, ...]
    target: Target
    text: str
    language: str
    evidence: tuple[Evidence, ...]
    drafter: str
    draft_version: int
    approvals_required: int
    respond_by: datetime | None = None
    """By when the tenant's rules want the customer to have an answer; None where they say nothing."""


@dataclass(frozen=True, slots=True)
class Edited:
    """A person replaced the text; every approval so far is void."""

    name: ClassVar[str] = "edited"
    at: datetime
    text: str
    draft_version: int
    editor: str


@dataclass(frozen=True, slots=True)
class Approved:
    """A person approved exactly the text behind the hash."""

    name: ClassVar[str] = "approved"
    at: datetime
    approver: str
    draft_version: int
    content_sha256: str
    approvals_missing: int


@dataclass(frozen=True, slots=True)
class Rejected:
    """A person decided that this is not sent."""

    name: ClassVar[str] = "rejected"
    at: datetime
    rejected_by: str
    draft_version: int
    reason: str


@dataclass(frozen=True, slots=True)
class Stale:
    """The draft no longer fits the conversation; nobody rejected it."""

    name: ClassVar[str] = "stale"
    at: datetime
    reason: StaleReason


@dataclass(frozen=True, slots=True)
class Sending:
    """An attempt to send begins; until its end is known nobody may begin another."""

    name: ClassVar[str] = "sending"
    at: datetime
    attempt: int


@dataclass(frozen=True, slots=True)
class Sent:
    """The text arrived."""

    name: ClassVar[str] = "sent"
    at: datetime
    native_id: str
    content_sha256: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Failed:
    """The text is known not to have arrived."""

    name: ClassVar[str] = "failed"
    at: datetime
    code: str
    attempt: int


@dataclass(frozen=True, slots=True)
class Unresolved:
    """Nobody knows whether the text arrived."""

    name: ClassVar[str] = "unresolved"
    at: datetime
    code: str
    attempt: int


Fact = Drafted | Edited | Approved | Rejected | Stale | Sending | Sent | Failed | Unresolved
