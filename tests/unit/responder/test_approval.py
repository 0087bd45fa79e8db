"""Each rule of the approval state machine, one by one; the interleavings are in test_approval_machine.py."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.responder.approval import (
    Approve,
    Command,
    Edit,
    Expire,
    GoStale,
    RecordFailed,
    RecordSent,
    RecordUnknown,
    Reject,
    Resolve,
    StartSending,
    decide,
)
from services.responder.facts import Approved, Failed, Sending, StaleReason
from services.responder.reply import Reply, State, content_sha256
from tests.unit.responder.replies import NOW, TARGET, after, approved, pending, refused, taken

EDIT = Edit("ed", "Something else.", 280)
REJECT = Reject("ann", "off the mark")
STALE = GoStale(StaleReason.NEWER_POST)
SEND = StartSending(())
SENT, FAILED, UNKNOWN = RecordSent(1, "n1"), RecordFailed(1, "HTTP_503"), RecordUnknown(1, "READ_TIMEOUT")


def sending() -> Reply:
    reply = approved()
    return after(reply, StartSending(reply.approvals))


STATES = {
    State.PENDING: pending(),
    State.APPROVED: approved(),
    State.SENDING: sending(),
    State.SENT: after(sending(), SENT),
    State.REJECTED: after(pending(), REJECT),
    State.STALE: after(pending(), STALE),
    State.FAILED: after(sending(), FAILED),
    State.UNRESOLVED: after(sending(), UNKNOWN),
}
ALLOWED = {
    EDIT: {State.PENDING, State.APPROVED, State.FAILED},
    Approve("bo"): {State.PENDING},
    REJECT: {State.PENDING, State.APPROVED, State.FAILED},
    Expire(timedelta(0)): {State.PENDING},
    STALE: {State.PENDING, State.APPROVED, State.FAILED},
    SEND: {State.APPROVED, State.FAILED},
    SENT: {State.SENDING, State.UNRESOLVED},
    FAILED: {State.SENDING, State.UNRESOLVED},
    UNKNOWN: {State.SENDING},
    Resolve("n1"): {State.UNRESOLVED},
    Resolve(None): {State.UNRESOLVED},
}


@pytest.mark.parametrize("state", list(State))
@pytest.mark.parametrize("command", list(ALLOWED), ids=lambda command: type(command).__name__)
def test_a_command_is_taken_in_its_states_and_in_no_other(command: Command, state: State) -> None:
    is_taken = isinstance(decide(STATES[state], command, NOW), tuple)
    assert is_taken == (state in ALLOWED[command])


@pytest.mark.parametrize("state", list(State))
def test_the_facts_of_each_state_lead_there(state: State) -> None:
    assert STATES[state].state is state


def test_an_edit_voids_approvals_and_counts_the_version() -> None:
    reply = after(approved(), EDIT)
    assert (reply.state, reply.approvals, reply.draft_version) == (State.PENDING, (), 2)


@pytest.mark.parametrize("text", ["", "   ", "x" * 281])
def test_an_edit_to_nothing_or_to_too_much_is_refused(text: str) -> None:
    assert refused(pending(), Edit("ed", text, 280)) == "REPLY_TEXT_INVALID"


def test_an_approval_names_the_hash_of_the_text() -> None:
    [fact] = taken(pending("Hello."), Approve("ann"))
    assert isinstance(fact, Approved)
    assert fact.content_sha256 == content_sha256("acme", TARGET, 1, "Hello.")


def test_four_eyes_wait_for_a_second_person() -> None:
    once = after(pending(approvals_required=2), Approve("ann"))
    assert once.state is State.PENDING
    assert refused(once, Approve("ann")) == "APPROVER_NOT_INDEPENDENT"
    assert after(once, Approve("bo")).state is State.APPROVED


def test_who_wrote_the_text_is_no_second_pair_of_eyes_for_it() -> None:
    edited = after(pending(approvals_required=2), EDIT)
    assert refused(edited, Approve("ed")) == "APPROVER_NOT_INDEPENDENT"
    assert after(edited, Approve("ann"), Approve("bo")).state is State.APPROVED


def test_where_one_approval_is_enough_an_editor_may_give_it() -> None:
    assert after(pending(), EDIT, Approve("ed")).state is State.APPROVED


@pytest.mark.parametrize(
    "changed",
    [
        replace(approved(), text="Other."),
        replace(approved(), tenant="other"),
        replace(approved(), draft_version=2),
        replace(approved(), target=replace(TARGET, native_parent_id="elsewhere")),
        replace(approved(), approvals_required=2),
    ],
)
def test_what_was_not_approved_is_not_sent_and_people_see_it(changed: Reply) -> None:
    [fact] = taken(changed, StartSending(approved().approvals))
    assert fact == Failed(NOW, "APPROVAL_MISSING", 1)


def test_what_the_conversation_has_overtaken_is_not_sent_again_and_people_see_it() -> None:
    failed = after(approved(), StartSending(approved().approvals), RecordFailed(1, "HTTP_503"))
    [fact] = taken(failed, StartSending(approved().approvals, overtaken=True))
    assert fact == Failed(NOW, "CONVERSATION_MOVED_ON", 2)
    assert after(failed, Edit("ed", "Better.", 280), Approve("ann")).state is State.APPROVED


def test_the_approvals_of_record_count_and_not_the_replys_own_view() -> None:
    [fact] = taken(approved(), StartSending(()))
    assert isinstance(fact, Failed)


def test_a_failed_reply_may_be_sent_again_under_the_next_attempt() -> None:
    reply = STATES[State.FAILED]
    assert taken(reply, StartSending(reply.approvals)) == (Sending(NOW, 2),)


def test_an_attempt_that_is_over_settles_nothing() -> None:
    assert refused(sending(), RecordSent(2, "n1")) == "ATTEMPT_MISMATCH"


def test_a_draft_expires_only_when_it_is_old_enough() -> None:
    assert refused(pending(), Expire(timedelta(hours=1))) == "REPLY_NOT_EXPIRED"


def test_a_later_answer_settles_what_nobody_knew() -> None:
    assert after(STATES[State.UNRESOLVED], SENT).native_id == "n1"


def test_the_etag_changes_with_text_and_state() -> None:
    etags = {reply.etag for reply in (*STATES.values(), after(pending(), EDIT))}
    assert len(etags) == len(STATES) + 1


def test_no_two_contents_share_an_encoding() -> None:
    moved = replace(TARGET, native_thread_id="threadp", native_parent_id="arent")
    assert content_sha256("acme", TARGET, 1, "x") != content_sha256("acme", moved, 1, "x")
