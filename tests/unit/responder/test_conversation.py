"""The turn rules, as a table of small conversations."""

import random
from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4, uuid5

import pytest

from contracts.identity import reply_id
from services.responder.conversation import Thread
from services.responder.facts import StaleReason
from services.responder.reply import State
from services.responder.turn import (
    Call,
    Decision,
    Heard,
    KnownReply,
    NotDueDecision,
    NotDueReason,
    Outcome,
    StaleDecision,
    Verdict,
)
from tests.unit.responder.replies import NOW

SPACE = UUID(int=7)


def heard(name: str, minute: float, call: Call = Call.ANSWER, **overrides: object) -> Heard:
    """A post named `name`, said `minute` minutes after nine by "kim"."""
    at = NOW + timedelta(minutes=minute)
    values: dict[str, object] = {
        "event_id": uuid5(SPACE, f"{name}/{overrides.get('revision', 1)}/{overrides.get('deleted', False)}"),
        "post": name,
        "revision": 1,
        "edited": False,
        "deleted": False,
        "own": False,
        "author": "kim",
        "native_id": name,
        "native_parent_id": None,
        "said_at": at,
        "learned_at": at,
        "call": call,
        "verdict": Verdict(by_person=False, decided_at=at, event_id=uuid5(SPACE, f"model on {name}")),
    }
    return Heard(**{**values, **overrides})  # type: ignore[arg-type]


def own(name: str, minute: float, **overrides: object) -> Heard:
    return heard(name, minute, Call.CHATTER, own=True, author="brand", **overrides)


def edit(original: Heard, minute: float, call: Call = Call.ANSWER) -> Heard:
    learned_at = NOW + timedelta(minutes=minute)
    return replace(original, event_id=uuid4(), revision=2, edited=True, learned_at=learned_at, call=call)


def delete(original: Heard, minute: float) -> Heard:
    learned_at = NOW + timedelta(minutes=minute)
    return replace(original, event_id=uuid4(), deleted=True, author="", learned_at=learned_at, call=Call.CHATTER)


def told(*changes: Heard) -> Thread:
    thread = Thread("c1")
    for change in changes:
        thread.receive(change)
    return thread


def draft(thread: Thread, author: str = "kim", state: State = State.PENDING) -> UUID:
    """What the drafting worker and people do to the wanted draft."""
    plan = thread.plans.pop(author)
    thread.replies[plan.reply_id] = KnownReply(plan.reply_id, state, NOW)
    for known in thread.known.values():
        if known.heard.post in plan.answers and known.outcome in {Outcome.DUE, Outcome.DRAFTED}:
            known.outcome, known.reply = Outcome.DRAFTED, plan.reply_id
    return plan.reply_id


def reasons(decisions: tuple[Decision, ...]) -> list[NotDueReason]:
    return [each.reason for each in decisions if isinstance(each, NotDueDecision)]


def stale(decisions: tuple[Decision, ...]) -> list[tuple[UUID, StaleReason]]:
    return [(each.reply_id, each.reason) for each in decisions if isinstance(each, StaleDecision)]


QUESTION = heard("q", 0)
STATES = [State.PENDING, State.SENT, State.FAILED, State.SENDING, State.REJECTED]


@pytest.mark.parametrize(
    ("post", "reason"),
    [
        (heard("p", 0, Call.FEEDBACK), NotDueReason.FEEDBACK),
        (heard("p", 0, Call.CHATTER), NotDueReason.CHATTER),
        (heard("p", 0, Call.TRIAGE), NotDueReason.TRIAGE),
        (heard("p", 0, Call.RULED_OUT), NotDueReason.RULE),
        (heard("p", 0, has_channel=False), NotDueReason.NO_CHANNEL),
        (heard("p", 0, Call.CHATTER, deleted=True, author=""), NotDueReason.DELETED),
        (own("p", 0), NotDueReason.OWN_POST),
    ],
)
def test_what_gets_no_answer_says_why(post: Heard, reason: NotDueReason) -> None:
    thread = Thread("c1")
    assert reasons(thread.receive(post)) == [reason]
    assert not thread.plans


def test_a_question_is_due_and_its_draft_is_named_after_it() -> None:
    thread = told(QUESTION)
    assert thread.plans["kim"].reply_id == reply_id("c1", QUESTION.event_id)
    assert thread.known[QUESTION.event_id].outcome is Outcome.DUE


def test_a_redelivery_changes_nothing() -> None:
    thread = told(QUESTION)
    before = dict(thread.plans)
    assert thread.receive(QUESTION) == ()
    assert thread.plans == before


def test_one_draft_answers_all_of_a_turn() -> None:
    thread = told(QUESTION, heard("q2", 1))
    assert thread.plans["kim"].answers == ("q", "q2")
    assert thread.plans["kim"].reply_id == reply_id("c1", heard("q2", 1).event_id)


def test_each_author_of_a_thread_has_a_turn_of_their_own() -> None:
    thread = told(QUESTION, heard("q2", 1, author="lee"))
    assert {author: plan.answers for author, plan in thread.plans.items()} == {"kim": ("q",), "lee": ("q2",)}


@pytest.mark.parametrize("call", [Call.ANSWER, Call.CHATTER, Call.FEEDBACK, Call.TRIAGE])
def test_a_newer_post_makes_the_draft_stale_and_wants_a_new_one(call: Call) -> None:
    thread = told(QUESTION)
    first = draft(thread)
    decisions = thread.receive(heard("more", 1, call))
    assert stale(decisions) == [(first, StaleReason.NEWER_POST)]
    assert thread.plans["kim"].reply_id != first


@pytest.mark.parametrize("state", [State.SENDING, State.SENT, State.UNRESOLVED, State.REJECTED])
def test_what_was_decided_is_left_alone_and_a_new_turn_begins(state: State) -> None:
    thread = told(QUESTION)
    draft(thread, state=state)
    decisions = thread.receive(heard("q2", 1))
    assert stale(decisions) == []
    assert thread.plans["kim"].answers == ("q2",)


def test_a_reply_that_failed_is_replaced_by_one_to_the_whole_turn() -> None:
    thread = told(QUESTION)
    first = draft(thread, state=State.FAILED)
    assert stale(thread.receive(heard("q2", 1))) == [(first, StaleReason.NEWER_POST)]
    assert thread.plans["kim"].answers == ("q", "q2")


def test_an_own_post_closes_the_turn() -> None:
    thread = told(QUESTION)
    first = draft(thread)
    assert stale(thread.receive(own("o", 1))) == [(first, StaleReason.ANSWERED)]
    assert not thread.plans


def test_an_own_post_before_the_draft_settles_the_question() -> None:
    thread = told(QUESTION)
    decisions = thread.receive(own("o", 1))
    assert sorted(reasons(decisions)) == [NotDueReason.OWN_POST, NotDueReason.SUPERSEDED]
    assert not thread.plans


def test_a_question_that_comes_in_after_its_answer_gets_no_draft() -> None:
    thread = told(own("o", 1))
    assert reasons(thread.receive(QUESTION)) == [NotDueReason.SUPERSEDED]


def test_an_own_post_answers_nothing_that_was_said_after_it() -> None:
    assert told(own("o", -1), QUESTION).plans
    assert told(QUESTION, own("o", -1)).plans


def test_an_own_post_to_somebody_closes_that_turn_alone() -> None:
    thread = told(QUESTION, heard("q2", 0, author="lee"), own("o", 1, native_parent_id="q"))
    assert set(thread.plans) == {"lee"}


def test_an_answer_of_ours_that_comes_back_closes_nothing_new() -> None:
    thread = told(QUESTION)
    first = draft(thread, state=State.SENT)
    thread.replies[first] = replace(thread.replies[first], native_id="o")
    thread.receive(heard("q2", 1))
    thread.receive(own("o", 2))
    assert thread.plans["kim"].answers == ("q2",)


def test_our_answer_is_known_by_its_text_before_its_id_is() -> None:
    thread = told(QUESTION)
    first = draft(thread, state=State.SENDING)
    thread.replies[first] = replace(thread.replies[first], text_sha256=b"t")
    thread.receive(heard("q2", 1))
    thread.receive(own("o", 2, text_sha256=b"t"))
    assert thread.plans["kim"].answers == ("q2",)


def test_a_deletion_withdraws_the_draft() -> None:
    thread = told(QUESTION)
    first = draft(thread)
    decisions = thread.receive(delete(QUESTION, 1))
    assert (stale(decisions), reasons(decisions)) == ([(first, StaleReason.POST_DELETED)], [NotDueReason.DELETED])
    assert not thread.plans


def test_a_deletion_before_the_draft_settles_both_changes() -> None:
    thread = told(QUESTION)
    assert reasons(thread.receive(delete(QUESTION, 1))) == [NotDueReason.DELETED, NotDueReason.DELETED]


def test_a_deletion_leaves_the_rest_of_the_turn_due() -> None:
    thread = told(QUESTION, heard("q2", 1))
    first = draft(thread)
    thread.receive(delete(QUESTION, 2))
    assert thread.plans["kim"].answers == ("q2",)
    assert thread.plans["kim"].reply_id != first


def test_what_was_deleted_stays_deleted() -> None:
    thread = told(delete(QUESTION, 1))
    assert reasons(thread.receive(QUESTION)) == [NotDueReason.SUPERSEDED]
    assert not thread.plans


def test_an_edit_of_a_pending_post_wants_a_new_draft() -> None:
    thread = told(QUESTION)
    first = draft(thread)
    assert stale(thread.receive(edit(QUESTION, 1))) == [(first, StaleReason.POST_EDITED)]
    assert thread.plans["kim"].answers == ("q",)


def test_an_edit_that_needs_no_answer_withdraws_the_draft() -> None:
    thread = told(QUESTION)
    first = draft(thread)
    decisions = thread.receive(edit(QUESTION, 1, Call.CHATTER))
    assert (stale(decisions), reasons(decisions)) == ([(first, StaleReason.POST_EDITED)], [NotDueReason.CHATTER])
    assert not thread.plans


def test_an_edit_of_an_answered_post_gets_no_second_answer() -> None:
    thread = told(QUESTION)
    draft(thread, state=State.SENT)
    assert reasons(thread.receive(edit(QUESTION, 1))) == [NotDueReason.SUPERSEDED]
    assert not thread.plans


def test_an_older_revision_is_ignored() -> None:
    thread = told(edit(QUESTION, 1))
    before = dict(thread.plans)
    assert reasons(thread.receive(QUESTION)) == [NotDueReason.SUPERSEDED]
    assert thread.plans == before


def test_a_draft_that_fails_while_another_is_wanted_stays_what_it_is() -> None:
    thread = told(QUESTION)
    first = draft(thread, state=State.SENDING)
    thread.receive(heard("q2", 1))
    wanted = dict(thread.plans)
    thread.replies[first] = replace(thread.replies[first], state=State.FAILED)
    thread.plan_missing()
    assert thread.plans == wanted


def test_a_draft_that_expired_is_not_written_again_unasked() -> None:
    thread = told(QUESTION)
    first = draft(thread)
    thread.replies[first] = replace(thread.replies[first], state=State.STALE, stale_reason=StaleReason.EXPIRED)
    thread.receive(heard("thanks", 1, Call.CHATTER))
    assert not thread.plans
    thread.receive(heard("q2", 2))
    assert thread.plans["kim"].answers == ("q", "q2")


@pytest.mark.parametrize("seed", range(30))
def test_the_order_of_arrival_does_not_decide_who_is_answered(seed: int) -> None:
    said = [QUESTION, own("o", 1), heard("q2", 2), heard("q3", 3, author="lee"), own("o2", 4, native_parent_id="q3")]
    said += [heard("gone", 5), delete(heard("gone", 5), 6), heard("fixed", 7), edit(heard("fixed", 7), 8)]
    random.Random(seed).shuffle(said)
    thread = told(*said)
    assert {author: plan.answers for author, plan in thread.plans.items()} == {"kim": ("q2", "fixed")}


@pytest.mark.parametrize("seed", range(30))
def test_what_is_wanted_does_not_depend_on_what_was_wanted_before(seed: int) -> None:
    """A rebuild, which has the facts and no plans, comes to the same plans under the same names."""
    chance = random.Random(seed)
    thread = Thread("c1")
    said: list[Heard] = []
    for at in range(40):
        change = heard(f"p{at}", at, chance.choice(list(Call)), author=chance.choice(["kim", "lee"]))
        changed = chance.choice(said) if said and chance.random() < 0.3 else None
        if changed is not None:
            change = chance.choice([edit, delete])(changed, at)
        elif chance.random() < 0.15:
            change = own(f"o{at}", at)
        else:
            said.append(change)
        thread.receive(change)
        if thread.plans and chance.random() < 0.3:
            draft(thread, chance.choice(sorted(thread.plans)), chance.choice(STATES))
    wanted = dict(thread.plans)
    thread.plans.clear()
    thread.plan_missing()
    assert thread.plans == wanted
