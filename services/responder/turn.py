"""The words of the turn rules: what was heard, what is known of it, and what may be decided."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from services.responder.facts import StaleReason
from services.responder.reply import State


class Call(StrEnum):
    """What the classification asks for."""

    ANSWER = "answer"
    FEEDBACK = "feedback"
    CHATTER = "chatter"
    TRIAGE = "triage"
    RULED_OUT = "ruled_out"
    """An answer, if the tenant's rules did not say otherwise."""


class NotDueReason(StrEnum):
    """Why a post gets no answer; the names are those of the proto."""

    FEEDBACK = "FEEDBACK"
    CHATTER = "CHATTER"
    OWN_POST = "OWN_POST"
    DELETED = "DELETED"
    TRIAGE = "TRIAGE"
    NO_CHANNEL = "NO_CHANNEL"
    SUPERSEDED = "SUPERSEDED"
    RULE = "RULE"


class Outcome(StrEnum):
    """What became of one change of a post; DUE waits for its draft, all others stand until it is corrected."""

    DUE = "due"
    DRAFTED = "drafted"
    NOT_DUE = "not_due"
    TRIAGED = "triaged"
    SUPERSEDED = "superseded"


def outcome_of(reason: NotDueReason) -> Outcome:
    """The outcome that a reason stands for."""
    special = {NotDueReason.TRIAGE: Outcome.TRIAGED, NotDueReason.SUPERSEDED: Outcome.SUPERSEDED}
    return special.get(reason, Outcome.NOT_DUE)


@dataclass(frozen=True, slots=True, order=True)
class Verdict:
    """Which classification of a change of a post it is: of two the greater stands, whichever was read first."""

    by_person: bool
    decided_at: datetime
    event_id: UUID
    """Of the classification or correction."""


@dataclass(frozen=True, slots=True)
class Heard:
    """One change of a post, as far as the rules look at it."""

    event_id: UUID
    post: str
    """The post's resource name, equal for all its revisions."""
    revision: int
    edited: bool
    deleted: bool
    own: bool
    author: str
    """The author's pseudonym, the post's name where the network does not say; "" on a deletion, which tells neither."""
    native_id: str
    native_parent_id: str | None
    said_at: datetime
    """When the network says it was written, else when we learned it."""
    learned_at: datetime
    call: Call
    verdict: Verdict
    has_channel: bool = True
    text_sha256: bytes = b""
    """Of the text without regard to case and spaces: tells our own answer when it comes back as a post."""
    rule: str = ""
    """The tenant's rules that fired."""

    def judged(self, other: "Heard") -> "Heard":
        """The same change as the greater verdict has it; heard when the earlier of the two was.

        A correction knows when it was made and not when its post was heard, and may be read before it.
        """
        above = other if other.verdict > self.verdict else self
        said_at, learned_at = min(self.said_at, other.said_at), min(self.learned_at, other.learned_at)
        return replace(above, author=self.author, own=self.own, said_at=said_at, learned_at=learned_at)

    def replaces(self, old: "Heard") -> bool:
        """Whether this is the later change of the same post: a deletion is final, else the revision counts."""
        return (self.deleted, self.revision, self.event_id) > (old.deleted, old.revision, old.event_id)


@dataclass(slots=True)
class Known:
    """A change that the conversation has seen, and what became of it."""

    heard: Heard
    outcome: Outcome
    reason: NotDueReason | None = None
    reply: UUID | None = None
    """The last reply drafted for the post."""
    current: bool = True
    """No later change of the same post is known."""
    closed: bool = False
    """Answered for good: no later turn includes it."""


@dataclass(frozen=True, slots=True)
class KnownReply:
    """A reply of the conversation, as far as the rules look at it."""

    reply_id: UUID
    state: State
    created_at: datetime
    stale_reason: StaleReason | None = None
    native_id: str | None = None
    text_sha256: bytes = b""


@dataclass(frozen=True, slots=True)
class Plan:
    """A draft that is wanted."""

    reply_id: UUID
    answers: tuple[str, ...]
    """The names of the posts that it answers, oldest first."""
    events: tuple[UUID, ...]
    """The changes of these posts that it answers."""
    learned_at: datetime
    """When we learned the newest of them: the draft's latency counts from here."""


@dataclass(frozen=True, slots=True)
class NotDueDecision:
    """This change of a post gets no answer."""

    known: Known
    reason: NotDueReason


@dataclass(frozen=True, slots=True)
class StaleDecision:
    """This reply no longer fits."""

    reply_id: UUID
    reason: StaleReason


Decision = NotDueDecision | StaleDecision
