"""What it means for a conversation that a post is something else than the model thought."""

import random
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.responder.conversation import Thread
from services.responder.facts import StaleReason
from services.responder.reply import State
from services.responder.turn import Call, Heard, NotDueReason, Outcome, Verdict
from tests.unit.responder.replies import NOW
from tests.unit.responder.test_conversation import SPACE, draft, edit, heard, own, reasons, stale, told

QUESTION = heard("q", 0)
NO_ANSWER = [Call.TRIAGE, Call.FEEDBACK, Call.CHATTER, Call.RULED_OUT]
DECIDED = [State.APPROVED, State.SENDING, State.SENT, State.UNRESOLVED, State.FAILED, State.REJECTED]


def corrected(original: Heard, minute: float, call: Call, *, by_person: bool = True) -> Heard:
    """What somebody says of a change, `minute` minutes after nine."""
    at = NOW + timedelta(minutes=minute)
    event_id = uuid5(SPACE, f"{original.event_id} {minute} {call} {by_person}")
    return replace(original, call=call, verdict=Verdict(by_person, at, event_id))


def outcome(thread: Thread, change: Heard) -> tuple[Outcome, NotDueReason | None]:
    known = thread.known[change.event_id]
    return known.outcome, known.reason


@pytest.mark.parametrize("call", NO_ANSWER)
def test_what_turns_out_to_be_a_question_is_due_as_if_it_had_always_been(call: Call) -> None:
    post = heard("q", 0, call)
    thread = told(post)
    assert thread.receive(corrected(post, 5, Call.ANSWER)) == ()
    assert outcome(thread, post) == (Outcome.DUE, None)
    assert thread.plans == told(QUESTION).plans


def test_a_correction_that_is_read_first_ends_the_same() -> None:
    post = heard("q", 0, Call.TRIAGE)
    thread = told(corrected(post, 5, Call.ANSWER), post)
    assert thread.plans == told(QUESTION).plans
    assert thread.known[post.event_id] == told(post, corrected(post, 5, Call.ANSWER)).known[post.event_id]


def test_a_correction_of_a_post_whose_network_tells_no_time_is_heard_when_the_post_was() -> None:
    post, late = heard("q", 0, Call.TRIAGE), timedelta(minutes=5)
    early = replace(corrected(post, 5, Call.ANSWER), said_at=post.said_at + late, learned_at=post.learned_at + late)
    thread = told(early, heard("q2", 3), post)
    assert thread.plans["kim"].answers == ("q", "q2")


def test_a_question_joins_the_turn_of_its_author() -> None:
    remark = heard("remark", 1, Call.FEEDBACK)
    thread = told(QUESTION, remark)
    first = draft(thread)
    assert stale(thread.receive(corrected(remark, 5, Call.ANSWER))) == [(first, StaleReason.RECLASSIFIED)]
    assert thread.plans["kim"].answers == ("q", "remark")


def test_a_question_that_was_answered_meanwhile_gets_no_draft() -> None:
    post = heard("q", 0, Call.TRIAGE)
    thread = told(post, own("o", 1))
    assert reasons(thread.receive(corrected(post, 5, Call.ANSWER))) == [NotDueReason.SUPERSEDED]
    assert not thread.plans


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (Call.FEEDBACK, NotDueReason.FEEDBACK),
        (Call.CHATTER, NotDueReason.CHATTER),
        (Call.TRIAGE, NotDueReason.TRIAGE),
        (Call.RULED_OUT, NotDueReason.RULE),
    ],
)
def test_what_turns_out_to_need_no_answer_withdraws_the_pending_draft(call: Call, reason: NotDueReason) -> None:
    thread = told(QUESTION)
    first = draft(thread)
    decisions = thread.receive(corrected(QUESTION, 5, call))
    assert (stale(decisions), reasons(decisions)) == ([(first, StaleReason.RECLASSIFIED)], [reason])
    assert not thread.plans


def test_a_draft_that_is_not_written_yet_is_no_longer_wanted() -> None:
    thread = told(QUESTION)
    assert reasons(thread.receive(corrected(QUESTION, 5, Call.CHATTER))) == [NotDueReason.CHATTER]
    assert not thread.plans


def test_the_rest_of_the_turn_gets_a_draft_of_its_own() -> None:
    thread = told(QUESTION, heard("q2", 1))
    first = draft(thread)
    assert stale(thread.receive(corrected(QUESTION, 5, Call.CHATTER))) == [(first, StaleReason.RECLASSIFIED)]
    assert thread.plans["kim"].answers == ("q2",)


@pytest.mark.parametrize("state", DECIDED)
def test_what_a_person_decided_is_left_alone(state: State) -> None:
    thread = told(QUESTION)
    draft(thread, state=state)
    assert thread.receive(corrected(QUESTION, 5, Call.CHATTER)) == ()
    assert (outcome(thread, QUESTION), thread.plans) == ((Outcome.DRAFTED, None), {})


def test_an_approved_draft_that_falls_later_is_not_written_again_for_what_needs_no_answer() -> None:
    thread = told(QUESTION)
    draft(thread, state=State.APPROVED)
    thread.receive(corrected(QUESTION, 5, Call.CHATTER))
    thread.receive(heard("q2", 6))
    assert thread.plans["kim"].answers == ("q2",)


@pytest.mark.parametrize("state", [State.PENDING, *DECIDED])
def test_a_question_that_is_a_complaint_is_only_recorded(state: State) -> None:
    thread = told(QUESTION)
    draft(thread, state=state)
    complaint = corrected(QUESTION, 5, Call.ANSWER)
    assert thread.receive(complaint) == ()
    assert (thread.known[QUESTION.event_id].heard, thread.plans) == (complaint, {})


def test_a_change_of_mind_wants_the_draft_again() -> None:
    thread = told(QUESTION)
    first = draft(thread)
    thread.receive(corrected(QUESTION, 5, Call.CHATTER))
    thread.receive(corrected(QUESTION, 6, Call.ANSWER))
    assert thread.plans["kim"].answers == ("q",)
    assert thread.plans["kim"].reply_id != first
    assert outcome(thread, QUESTION) == (Outcome.DRAFTED, None)


def test_what_was_answered_for_good_stays_answered_though_the_answer_is_not_loaded() -> None:
    post = heard("q", 0, Call.TRIAGE)
    thread = told(post)
    thread.known[post.event_id].closed = True
    assert reasons(thread.receive(corrected(post, 5, Call.ANSWER))) == [NotDueReason.SUPERSEDED]


def test_a_question_that_the_brand_answered_itself_is_only_recorded_as_a_complaint() -> None:
    thread = told(QUESTION)
    draft(thread)
    thread.receive(own("o", 1))
    assert thread.receive(corrected(QUESTION, 5, Call.ANSWER)) == ()
    assert outcome(thread, QUESTION) == (Outcome.DRAFTED, None)


def test_an_older_revision_that_had_a_draft_is_only_recorded() -> None:
    thread = told(QUESTION)
    draft(thread)
    thread.receive(edit(QUESTION, 1))
    assert thread.receive(corrected(QUESTION, 5, Call.CHATTER)) == ()
    assert outcome(thread, QUESTION) == (Outcome.DRAFTED, None)


def test_a_model_that_decides_later_does_not_outrank_a_person() -> None:
    thread = told(QUESTION, corrected(QUESTION, 5, Call.CHATTER))
    assert thread.receive(corrected(QUESTION, 9, Call.ANSWER, by_person=False)) == ()
    assert not thread.plans


def test_a_promoted_model_that_abstains_withdraws_the_pending_draft() -> None:
    thread = told(QUESTION)
    first = draft(thread)
    decisions = thread.receive(corrected(QUESTION, 5, Call.TRIAGE, by_person=False))
    assert (stale(decisions), reasons(decisions)) == ([(first, StaleReason.RECLASSIFIED)], [NotDueReason.TRIAGE])


def test_a_correction_of_an_older_revision_changes_nothing_about_the_newer() -> None:
    thread = told(QUESTION, edit(QUESTION, 1))
    before = dict(thread.plans)
    assert reasons(thread.receive(corrected(QUESTION, 5, Call.CHATTER))) == [NotDueReason.SUPERSEDED]
    assert thread.plans == before


def _said(chance: random.Random) -> list[Heard]:
    calls = [Call.ANSWER, *NO_ANSWER]
    posts = [heard(f"p{at}", at, chance.choice(calls), author=chance.choice(["kim", "lee"])) for at in range(6)]
    edits = [edit(post, 20 + at, chance.choice(calls)) for at, post in enumerate(posts) if chance.random() < 0.3]
    corrections = [
        corrected(chance.choice(posts + edits), 40 + at, chance.choice(calls), by_person=chance.random() < 0.6)
        for at in range(6)
    ]
    return [*posts, *edits, *corrections, own("o", 2.5)]


@given(chance=st.randoms(use_true_random=False))
def test_the_order_of_arrival_and_repeats_do_not_decide_who_is_answered(chance: random.Random) -> None:
    said = _said(chance)
    shuffled = chance.sample(said, len(said)) + chance.choices(said, k=4)
    chance.shuffle(shuffled)
    assert told(*shuffled).plans == told(*said).plans


@given(chance=st.randoms(use_true_random=False))
def test_what_is_wanted_does_not_depend_on_what_was_wanted_before(chance: random.Random) -> None:
    """A rebuild, which has the facts and no plans, comes to the same plans under the same names."""
    thread = Thread("c1")
    for change in chance.sample(said := _said(chance), len(said)):
        decided: list[UUID] = [reply_id for reply_id, _ in stale(thread.receive(change))]
        assert all(thread.replies[each].state is State.STALE for each in decided)
        if thread.plans and chance.random() < 0.4:
            draft(thread, chance.choice(sorted(thread.plans)), chance.choice([State.PENDING, *DECIDED]))
    wanted = dict(thread.plans)
    thread.plans.clear()
    thread.plan_missing()
    assert thread.plans == wanted
