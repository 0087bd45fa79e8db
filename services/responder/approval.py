"""Who may do what to a reply, and when: `decide` answers the facts of a command or says why not.

The rules that nothing may pass by: a text is sent only while enough different people have approved its hash;
an edit voids every approval; nothing is sent again while it is unknown whether it arrived.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from services.responder.facts import (
    Approved,
    Edited,
    Fact,
    Failed,
    Rejected,
    Sending,
    Sent,
    Stale,
    StaleReason,
    Unresolved,
)
from services.responder.reply import Approval, Reply, State, evolve

__all__ = ["Command", "Refusal", "RefusalReason", "decide", "evolve"]

NOT_YET_SENT: Final = frozenset({State.PENDING, State.APPROVED, State.FAILED})
"""Known not to have reached anybody: may still be edited or become stale."""
FOUR_EYES: Final = 2
NOT_RELEASED: Final = "APPROVAL_MISSING"
"""The code of an attempt that ended before it began: the approvals on record are not for this text."""
MOVED_ON: Final = "CONVERSATION_MOVED_ON"
"""The code of an attempt that ended before it began: while the one before was under way the conversation moved on."""
NOT_ARRIVED: Final = "NOT_ARRIVED"
"""The code of an attempt that was looked up and had not arrived."""


class RefusalReason(StrEnum):
    """Why a command was refused; people meet these words in ErrorInfo and in docs/errors.md."""

    REPLY_STATE_FORBIDS = "REPLY_STATE_FORBIDS"
    REPLY_TEXT_INVALID = "REPLY_TEXT_INVALID"
    REPLY_NOT_EXPIRED = "REPLY_NOT_EXPIRED"
    APPROVER_NOT_INDEPENDENT = "APPROVER_NOT_INDEPENDENT"
    ATTEMPT_MISMATCH = "ATTEMPT_MISMATCH"


@dataclass(frozen=True, slots=True)
class Refusal:
    """The command does not apply; nothing changed. `message` tells a person what to do."""

    reason: RefusalReason
    message: str


@dataclass(frozen=True, slots=True)
class Edit:
    """A person replaces the text."""

    editor: str
    text: str
    max_characters: int


@dataclass(frozen=True, slots=True)
class Approve:
    """A person approves the text as it stands."""

    approver: str


@dataclass(frozen=True, slots=True)
class Reject:
    """A person decides that this is not sent."""

    rejected_by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Expire:
    """Time passed; a draft that nobody wanted in time is dropped."""

    after: timedelta


@dataclass(frozen=True, slots=True)
class GoStale:
    """The conversation moved on."""

    reason: StaleReason


@dataclass(frozen=True, slots=True)
class StartSending:
    """The dispatcher is about to send; `approvals` are the rows of record, not the reply's own view.

    `overtaken` tells that something was said or changed while an earlier attempt was under way.
    """

    approvals: tuple[Approval, ...]
    overtaken: bool = False


@dataclass(frozen=True, slots=True)
class RecordSent:
    """The attempt arrived."""

    attempt: int
    native_id: str


@dataclass(frozen=True, slots=True)
class RecordFailed:
    """The attempt is known not to have arrived."""

    attempt: int
    code: str


@dataclass(frozen=True, slots=True)
class RecordUnknown:
    """The attempt ended without an answer, or its sender died."""

    attempt: int
    code: str


@dataclass(frozen=True, slots=True)
class Resolve:
    """A person looked up what nobody knew: it arrived under `native_id`, or (None) it did not."""

    native_id: str | None


Command = (
    Edit | Approve | Reject | Expire | GoStale | StartSending | RecordSent | RecordFailed | RecordUnknown | Resolve
)
Decision = tuple[Fact, ...] | Refusal


def decide(reply: Reply, command: Command, now: datetime) -> Decision:
    """What follows from the command: facts to record, or the reason why nothing does."""
    return _DECIDERS[type(command)](reply, command, now)


def released(reply: Reply, approvals: tuple[Approval, ...]) -> bool:
    """Whether enough different people approved exactly what stands in the reply."""
    return len(counting_approvers(reply, approvals)) >= max(1, reply.approvals_required)


def counting_approvers(reply: Reply, approvals: tuple[Approval, ...]) -> frozenset[str]:
    """The people whose approval counts for the text as it stands.

    Where two people must look, whoever wrote the text is not a second pair of eyes for it: an editor's own
    approval counts only where one approval is enough.
    """
    content = reply.content_sha256
    people = {
        each.approver
        for each in approvals
        if each.content_sha256 == content and each.draft_version == reply.draft_version
    }
    if reply.approvals_required >= FOUR_EYES:
        people.discard(reply.editor or "")
    return frozenset(people)


def _edit(reply: Reply, command: Edit, now: datetime) -> Decision:
    if reply.state not in NOT_YET_SENT:
        return _forbidden(reply, "edited")
    text = command.text.strip()
    if not text:
        return Refusal(RefusalReason.REPLY_TEXT_INVALID, "The text is empty: write an answer, or reject the reply.")
    if len(text) > command.max_characters:
        message = (
            f"The text has {len(text)} characters; {reply.target.network} takes {command.max_characters}: shorten it."
        )
        return Refusal(RefusalReason.REPLY_TEXT_INVALID, message)
    return (Edited(now, text, reply.draft_version + 1, command.editor),)


def _approve(reply: Reply, command: Approve, now: datetime) -> Decision:
    if reply.state is not State.PENDING:
        return _forbidden(reply, "approved")
    if command.approver in counting_approvers(reply, reply.approvals):
        message = "You have approved this text already: a second person must look at it."
        return Refusal(RefusalReason.APPROVER_NOT_INDEPENDENT, message)
    if reply.approvals_required >= FOUR_EYES and command.approver == reply.editor:
        message = "You wrote this text: where two people must approve, neither of them is its author."
        return Refusal(RefusalReason.APPROVER_NOT_INDEPENDENT, message)
    content = reply.content_sha256
    new = Approval(command.approver, reply.draft_version, content)
    given = len(counting_approvers(reply, (*reply.approvals, new)))
    missing = max(0, max(1, reply.approvals_required) - given)
    return (Approved(now, command.approver, reply.draft_version, content, missing),)


def _reject(reply: Reply, command: Reject, now: datetime) -> Decision:
    if reply.state not in NOT_YET_SENT:
        return _forbidden(reply, "rejected")
    return (Rejected(now, command.rejected_by, reply.draft_version, command.reason),)


def _expire(reply: Reply, command: Expire, now: datetime) -> Decision:
    if reply.state is not State.PENDING:
        return _forbidden(reply, "expired")
    if now - reply.updated_at < command.after:
        return Refusal(RefusalReason.REPLY_NOT_EXPIRED, "The draft is not old enough to expire.")
    return (Stale(now, StaleReason.EXPIRED),)


def _go_stale(reply: Reply, command: GoStale, now: datetime) -> Decision:
    if reply.state not in NOT_YET_SENT:
        return _forbidden(reply, "made stale")
    return (Stale(now, command.reason),)


def _start_sending(reply: Reply, command: StartSending, now: datetime) -> Decision:
    if reply.state not in {State.APPROVED, State.FAILED}:
        return _forbidden(reply, "sent")
    if not released(reply, command.approvals):
        # Loud rather than refused: the text or the approvals were changed behind our back, and a person must see it.
        return (Failed(now, NOT_RELEASED, reply.attempt + 1),)
    if command.overtaken:
        return (Failed(now, MOVED_ON, reply.attempt + 1),)
    return (Sending(now, reply.attempt + 1),)


def _sent(reply: Reply, command: RecordSent, now: datetime) -> Decision:
    refusal = _not_under_way(reply, command.attempt)
    return refusal or (Sent(now, command.native_id, reply.content_sha256, command.attempt),)


def _failed(reply: Reply, command: RecordFailed, now: datetime) -> Decision:
    refusal = _not_under_way(reply, command.attempt)
    return refusal or (Failed(now, command.code, command.attempt),)


def _unknown(reply: Reply, command: RecordUnknown, now: datetime) -> Decision:
    if reply.state is State.UNRESOLVED:
        return _forbidden(reply, "marked as unresolved")
    refusal = _not_under_way(reply, command.attempt)
    return refusal or (Unresolved(now, command.code, command.attempt),)


def _resolve(reply: Reply, command: Resolve, now: datetime) -> Decision:
    if reply.state is not State.UNRESOLVED:
        return _forbidden(reply, "resolved")
    if command.native_id is None:
        return (Failed(now, NOT_ARRIVED, reply.attempt),)
    return (Sent(now, command.native_id, reply.content_sha256, reply.attempt),)


def _not_under_way(reply: Reply, attempt: int) -> Refusal | None:
    if reply.state not in {State.SENDING, State.UNRESOLVED}:
        return _forbidden(reply, "settled")
    if reply.attempt != attempt:
        message = f"Attempt {attempt} is over; attempt {reply.attempt} is the one under way."
        return Refusal(RefusalReason.ATTEMPT_MISMATCH, message)
    return None


def _forbidden(reply: Reply, what: str) -> Refusal:
    message = f"A reply that is {reply.state.value} cannot be {what}: read it again to see what happened to it."
    return Refusal(RefusalReason.REPLY_STATE_FORBIDS, message)


_DECIDERS: Final[Mapping[type, Callable[[Reply, Any, datetime], Decision]]] = {
    Edit: _edit,
    Approve: _approve,
    Reject: _reject,
    Expire: _expire,
    GoStale: _go_stale,
    StartSending: _start_sending,
    RecordSent: _sent,
    RecordFailed: _failed,
    RecordUnknown: _unknown,
    Resolve: _resolve,
}
