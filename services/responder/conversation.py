"""The turn rules: what a classified post means for its conversation.

A turn is what one author wrote in a conversation since somebody last answered them. A turn with a question or a
complaint is due: it gets one draft for all of it. The order in which topics deliver does not matter: what
counts is when something was said.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from uuid import UUID

from contracts.identity import reply_id
from services.responder.facts import StaleReason
from services.responder.reply import State
from services.responder.turn import (
    Call,
    Decision,
    Heard,
    Known,
    KnownReply,
    NotDueDecision,
    NotDueReason,
    Outcome,
    Plan,
    StaleDecision,
    outcome_of,
)

_REPLACEABLE = frozenset({State.PENDING, State.APPROVED, State.FAILED})
_WITHDRAWABLE = frozenset({State.PENDING})
"""By a correction: what was approved is somebody's word already."""
_HOLDING = frozenset({State.SENDING, State.UNRESOLVED, State.SENT, State.REJECTED})
_ON_ITS_WAY = frozenset({State.SENDING, State.UNRESOLVED, State.SENT})
_NOT_DUE_BY_CALL = {
    Call.TRIAGE: NotDueReason.TRIAGE,
    Call.FEEDBACK: NotDueReason.FEEDBACK,
    Call.CHATTER: NotDueReason.CHATTER,
    Call.RULED_OUT: NotDueReason.RULE,
}


class Thread:
    """What is known of a conversation; `receive` takes in one change more and answers what follows.

    `conversation` is the conversation's id. A thread may be loaded in part: the changes of the posts that are
    about to be received, the open posts of their authors, and what the brand said since.
    """

    def __init__(self, conversation: str) -> None:
        self.conversation = conversation
        self.known: dict[UUID, Known] = {}
        self.replies: dict[UUID, KnownReply] = {}
        self.plans: dict[str, Plan] = {}
        """The draft that is wanted for each author's turn."""
        self._by_author: defaultdict[str, list[Known]] = defaultdict(list)
        self._own: list[Heard] = []
        self._current: dict[str, Known] = {}
        self._author_of: dict[str, str] = {}

    def add(self, known: Known) -> None:
        """Remember a change and what became of it."""
        heard = known.heard
        self.known[heard.event_id] = known
        if known.current:
            self._current[heard.post] = known
        if heard.own:
            # What the brand said was heard, even where it was deleted later.
            self._own += [] if heard.deleted else [heard]
        else:
            self._by_author[heard.author].append(known)
            self._author_of.setdefault(heard.native_id, heard.author)

    def receive(self, heard: Heard) -> tuple[Decision, ...]:
        """Take in one change of a post, or a correction of it; what was taken in before changes nothing."""
        if heard.event_id in self.known:
            return self._judge_anew(self.known[heard.event_id], heard)
        previous = self._current.get(heard.post)
        if previous is not None and heard.deleted:
            heard = replace(heard, author=previous.heard.author, own=previous.heard.own)
        authors = self._touched(heard, previous)
        before = {author: self._turn_events(author) for author in authors}
        decisions = self._take_in(heard, previous)
        for author in authors:
            if before[author] != self._turn_events(author) or self._disturbs(heard, author):
                decisions += self._move_on(author, _stale_reason(heard))
            elif author in self.plans:
                self._plan(author)  # its name follows the newest change, whatever that was
        self._close(authors)
        return tuple(decisions)

    def plan_missing(self) -> None:
        """Plan every draft that is wanted and not there: what a rebuild does when all facts are in."""
        authors = sorted(self._by_author)
        for author in authors:
            self._plan(author)
        self._close(authors)

    def _judge_anew(self, known: Known, heard: Heard) -> tuple[Decision, ...]:
        author, verdict = known.heard.author, known.heard.verdict
        before = self._turn_events(author)
        known.heard = known.heard.judged(heard)
        decisions = self._reconsider(known) if known.heard.verdict != verdict else []
        if before != self._turn_events(author):
            decisions += self._move_on(author, StaleReason.RECLASSIFIED, _WITHDRAWABLE)
        elif author in self.plans:
            self._plan(author)
        self._close([author])
        return tuple(decisions)

    def _reconsider(self, known: Known) -> list[Decision]:
        """What another category means for a change; a draft that stands for it goes with the turn."""
        wanted = known.outcome in {Outcome.DUE, Outcome.DRAFTED}
        if wanted and (known.heard.call is Call.ANSWER or self._is_committed(known)):
            return []
        reason = self._reason_not_due(known) if known.current else NotDueReason.SUPERSEDED
        if reason is not None:
            known.reply = known.reply if known.current else self._current[known.heard.post].reply
            return [_settle(known, reason)]
        known.outcome, known.reason = Outcome.DRAFTED if known.reply else Outcome.DUE, None
        return []

    def _is_committed(self, known: Known) -> bool:
        """Whether a person has decided about its draft, or a later change has taken its place."""
        reply = self.replies.get(known.reply) if known.reply else None
        decided = reply is not None and reply.state not in {State.PENDING, State.STALE}
        return known.outcome is Outcome.DRAFTED and (decided or not known.current)

    def _take_in(self, heard: Heard, previous: Known | None) -> list[Decision]:
        known = Known(heard, Outcome.DUE, reply=previous.reply if previous else None)
        if previous is not None and not heard.replaces(previous.heard):
            known.current = False
            self.add(known)
            self._name_author(previous, heard)
            return [_settle(known, NotDueReason.SUPERSEDED)]
        decisions = self._retire(previous, heard) if previous else []
        self.add(known)
        reason = self._reason_not_due(known)
        if reason is not None:
            decisions.append(_settle(known, reason))
        elif previous is not None and previous.outcome is Outcome.DRAFTED:
            known.outcome = Outcome.DRAFTED
        return decisions

    def _name_author(self, deletion: Known, heard: Heard) -> None:
        """A deletion that came before its post did not know whose it was; now the post tells."""
        if deletion.heard.deleted and not deletion.heard.author and not heard.own:
            self._by_author[""].remove(deletion)
            deletion.heard = replace(deletion.heard, author=heard.author)
            self._by_author[heard.author].append(deletion)

    def _retire(self, previous: Known, heard: Heard) -> list[Decision]:
        previous.current = False
        if previous.outcome is not Outcome.DUE:
            return []
        return [_settle(previous, NotDueReason.DELETED if heard.deleted else NotDueReason.SUPERSEDED)]

    def _reason_not_due(self, known: Known) -> NotDueReason | None:
        heard = known.heard
        if heard.deleted:
            return NotDueReason.DELETED
        if heard.own:
            return NotDueReason.OWN_POST
        if heard.call in _NOT_DUE_BY_CALL:
            return _NOT_DUE_BY_CALL[heard.call]
        if not heard.has_channel:
            return NotDueReason.NO_CHANNEL
        return NotDueReason.SUPERSEDED if known.closed or self._is_answered(known) else None

    def _move_on(
        self, author: str, reason: StaleReason, replaceable: frozenset[State] = _REPLACEABLE
    ) -> list[Decision]:
        """The turn of `author` changed: its draft is stale, and what is left of it may need a new one."""
        decisions: list[Decision] = []
        for reply in self._replies_of(author):
            if reply.state in replaceable:
                self.replies[reply.reply_id] = replace(reply, state=State.STALE, stale_reason=reason)
                decisions.append(StaleDecision(reply.reply_id, reason))
        decisions += [
            _settle(each, NotDueReason.SUPERSEDED)
            for each in self._by_author[author]
            if each.outcome is Outcome.DUE and self._is_answered(each)
        ]
        self._plan(author)
        return decisions

    def _plan(self, author: str) -> None:
        """Want a draft for what no draft covers, unless the last one expired and nothing was said since."""
        self.plans.pop(author, None)
        turn = [each for each in self._turn(author) if not self._has_draft(each)]
        if turn and (any(each.outcome is Outcome.DUE for each in turn) or self._is_outdated(turn)):
            self.plans[author] = Plan(
                reply_id=self._next_reply_id(author),
                answers=tuple(each.heard.post for each in turn),
                events=tuple(each.heard.event_id for each in turn),
                learned_at=max(each.heard.learned_at for each in turn),
            )

    def _has_draft(self, known: Known) -> bool:
        """Whether a reply covers the post that may still be sent."""
        reply = self.replies.get(known.reply) if known.reply else None
        return reply is not None and reply.state in _REPLACEABLE

    def _is_outdated(self, turn: Iterable[Known]) -> bool:
        """Whether the last draft for this turn fell to the conversation; one that merely expired did not."""
        drafts = [self.replies[each.reply] for each in turn if each.reply in self.replies]
        if not drafts:
            return False
        last = max(drafts, key=lambda reply: (reply.created_at, reply.reply_id))
        return last.state is State.STALE and last.stale_reason is not StaleReason.EXPIRED

    def _next_reply_id(self, author: str) -> UUID:
        """The id after the newest change of the turn that no earlier draft has used up."""
        changes = [
            each.heard
            for each in self._by_author[author]
            if each.current and not (each.closed or self._is_answered(each) or self._has_draft(each))
        ]
        changes.sort(key=lambda heard: (heard.learned_at, heard.event_id), reverse=True)
        ids = (reply_id(self.conversation, heard.event_id) for heard in changes)
        unused = next((each for each in ids if each not in self.replies), None)
        if unused is not None:
            return unused
        last = reply_id(self.conversation, changes[0].event_id)
        while last in self.replies:
            last = reply_id(self.conversation, last)
        return last

    def _turn_events(self, author: str) -> tuple[UUID, ...]:
        return tuple(each.heard.event_id for each in self._turn(author))

    def _turn(self, author: str) -> list[Known]:
        """What of `author` waits for an answer, oldest first."""
        waiting = [
            each
            for each in self._by_author[author]
            if each.current
            and each.heard.call is Call.ANSWER
            and each.outcome in {Outcome.DUE, Outcome.DRAFTED}
            and not (each.closed or self._is_answered(each))
        ]
        return sorted(waiting, key=lambda each: (each.heard.said_at, each.heard.event_id))

    def _disturbs(self, heard: Heard, author: str) -> bool:
        """Whether a post that needs no answer itself still changes what the answer to the turn should say."""
        if heard.own or heard.deleted or heard.author != author:
            return False
        known = self.known[heard.event_id]
        return known.current and not self._is_answered(known) and bool(self._turn(author))

    def _touched(self, heard: Heard, previous: Known | None) -> list[str]:
        """The authors whose turns this change may alter: an edit may be the first to tell whose post it is."""
        if not heard.own:
            return sorted({heard.author, previous.heard.author if previous else heard.author})
        if heard.native_parent_id is None:
            return sorted(self._by_author)
        author = self._author_of.get(heard.native_parent_id)
        return [] if author is None else [author]

    def _is_answered(self, known: Known) -> bool:
        """Whether a reply has or holds the post, or the brand said something to its author afterwards."""
        reply = self.replies.get(known.reply) if known.reply else None
        if reply is not None and reply.state in _HOLDING:
            return True
        return any(self._covers(own, known.heard) for own in self._own)

    def _covers(self, own: Heard, heard: Heard) -> bool:
        if own.said_at < heard.said_at or heard.own or self._is_echo(own):
            return False
        return own.native_parent_id is None or self._author_of.get(own.native_parent_id) == heard.author

    def _is_echo(self, own: Heard) -> bool:
        """Whether an own post is an answer of ours that comes back through the network."""
        return any(
            reply.state in _ON_ITS_WAY
            and (reply.native_id == own.native_id or (own.text_sha256 != b"" and reply.text_sha256 == own.text_sha256))
            for reply in self.replies.values()
        )

    def _close(self, authors: Iterable[str]) -> None:
        for author in authors:
            for each in self._by_author[author]:
                reply = self.replies.get(each.reply) if each.reply else None
                may_reopen = reply is not None and reply.state in {State.SENDING, State.UNRESOLVED}
                each.closed = each.closed or (not may_reopen and self._is_answered(each))

    def _replies_of(self, author: str) -> list[KnownReply]:
        ids = {each.reply for each in self._by_author[author] if each.reply}
        return [self.replies[each] for each in sorted(ids) if each in self.replies]


def _settle(known: Known, reason: NotDueReason) -> NotDueDecision:
    known.outcome, known.reason = outcome_of(reason), reason
    return NotDueDecision(known, reason)


def _stale_reason(heard: Heard) -> StaleReason:
    if heard.own:
        return StaleReason.ANSWERED
    if heard.deleted:
        return StaleReason.POST_DELETED
    return StaleReason.POST_EDITED if heard.edited else StaleReason.NEWER_POST
