"""A reply and how facts change it: the state is what its facts, in order, make of it."""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from services.responder.facts import (
    Approved,
    Drafted,
    Edited,
    Evidence,
    Fact,
    Failed,
    Rejected,
    Sending,
    Sent,
    Stale,
    StaleReason,
    Target,
    Unresolved,
)

_HASH_DOMAIN: Final = "ascolto.reply.v1"
UNHURRIED: Final = timedelta(days=1)
"""When a reply without a deadline counts as due: late enough not to overtake real deadlines, and not never."""


class State(StrEnum):
    """Where a reply stands; the names are those of approvals.v1.ReplyState without its prefix.

    PENDING -> APPROVED -> SENDING -> SENT, with ways out: REJECTED and STALE before sending, FAILED (known not
    to have arrived; may be tried again) and UNRESOLVED (nobody knows; is looked up first) after it began.
    """

    PENDING = "PENDING"
    APPROVED = "APPROVED"
    SENDING = "SENDING"
    SENT = "SENT"
    REJECTED = "REJECTED"
    STALE = "STALE"
    FAILED = "FAILED"
    UNRESOLVED = "UNRESOLVED"


@dataclass(frozen=True, slots=True)
class Approval:
    """That one person approved one version of one text, named by its hash."""

    approver: str
    draft_version: int
    content_sha256: str


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer to one turn of a conversation."""

    reply_id: UUID
    tenant: str
    conversation: str
    """The conversation's id, not its resource name."""
    correlation_id: str
    """The event id of the post that called for it."""
    answers: tuple[str, ...]
    target: Target
    state: State
    text: str
    language: str
    draft_version: int
    evidence: tuple[Evidence, ...]
    drafter: str
    approvals_required: int
    created_at: datetime
    updated_at: datetime
    approvals: tuple[Approval, ...] = ()
    """Those of the current text."""
    editor: str | None = None
    """Who wrote the current text; None: the drafter."""
    attempt: int = 0
    """The last attempt to send; 0: none yet."""
    native_id: str | None = None
    detail: str | None = None
    """Why it failed, is unresolved, was rejected or became stale."""
    respond_by: datetime | None = None
    """By when the tenant's rules want the customer to have an answer."""

    @property
    def due_at(self) -> datetime:
        """Its place in the queue of people: the nearest first."""
        return self.respond_by or self.created_at + UNHURRIED

    @property
    def content_sha256(self) -> str:
        """The hash of what stands here now; an approval of anything else does not count."""
        return content_sha256(self.tenant, self.target, self.draft_version, self.text)

    @property
    def etag(self) -> str:
        """Stands for the text and the state that a person saw; changes with either."""
        seen = (str(self.reply_id), self.state, str(self.attempt), str(len(self.approvals)), self.content_sha256)
        return hashlib.sha256("\x1f".join(seen).encode()).hexdigest()[:32]

    @property
    def stale_reason(self) -> StaleReason | None:
        """Why it is stale; None where it is not."""
        return StaleReason(self.detail) if self.state is State.STALE and self.detail else None


def content_sha256(tenant: str, target: Target, draft_version: int, text: str) -> str:
    """The SHA-256, in hex, of who sends what where: the only thing that an approval releases.

    Each part is framed by its length, so that no two contents share an encoding.
    """
    parts = (
        _HASH_DOMAIN,
        tenant,
        target.integration,
        target.network,
        target.kind,
        target.native_thread_id,
        target.native_parent_id,
        str(draft_version),
        text,
    )
    digest = hashlib.sha256()
    for part in parts:
        encoded = part.encode()
        digest.update(len(encoded).to_bytes(8, "big"))
        digest.update(encoded)
    return digest.hexdigest()


def evolve(reply: Reply | None, fact: Fact) -> Reply:
    """What the reply is after the fact; pure, so that a replay gives the same reply as the first time."""
    if isinstance(fact, Drafted):
        return _drafted(fact)
    if reply is None:
        raise ValueError(f"a reply starts with drafted, not with {fact.name}")
    return replace(_changed(reply, fact), updated_at=fact.at)


def _drafted(fact: Drafted) -> Reply:
    return Reply(
        reply_id=fact.reply_id,
        tenant=fact.tenant,
        conversation=fact.conversation,
        correlation_id=fact.correlation_id,
        answers=fact.answers,
        target=fact.target,
        state=State.PENDING,
        text=fact.text,
        language=fact.language,
        draft_version=fact.draft_version,
        evidence=fact.evidence,
        drafter=fact.drafter,
        approvals_required=fact.approvals_required,
        created_at=fact.at,
        updated_at=fact.at,
        respond_by=fact.respond_by,
    )


def _changed(reply: Reply, fact: Fact) -> Reply:  # noqa: PLR0911 - one line per fact
    match fact:
        case Edited(text=text, draft_version=version, editor=editor):
            return replace(
                reply, state=State.PENDING, text=text, draft_version=version, editor=editor, approvals=(), detail=None
            )
        case Approved():
            return _approved(reply, fact)
        case Rejected(reason=reason):
            return replace(reply, state=State.REJECTED, detail=reason)
        case Stale(reason=reason):
            return replace(reply, state=State.STALE, detail=reason.value)
        case Sending(attempt=attempt):
            return replace(reply, state=State.SENDING, attempt=attempt, detail=None)
        case Sent(native_id=native_id):
            return replace(reply, state=State.SENT, native_id=native_id, detail=None)
        case Failed(code=code, attempt=attempt):
            return replace(reply, state=State.FAILED, attempt=attempt, detail=code)
        case Unresolved(code=code):
            return replace(reply, state=State.UNRESOLVED, detail=code)
        case _:
            raise TypeError(f"{type(fact).__name__} does not change a reply")


def _approved(reply: Reply, fact: Approved) -> Reply:
    approval = Approval(fact.approver, fact.draft_version, fact.content_sha256)
    state = State.APPROVED if fact.approvals_missing == 0 else State.PENDING
    return replace(reply, state=state, approvals=(*reply.approvals, approval))
