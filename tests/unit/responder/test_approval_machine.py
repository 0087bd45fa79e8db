"""No interleaving of people, crashes, timeouts and dispatchers sends what was not approved, or sends twice.

The machine keeps what the real store keeps (facts, approvals of record, leases) and decides by the same functions;
its network counts what arrived. Two mutants show that it would notice.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import ClassVar

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from services.responder import approval
from services.responder.approval import (
    Approve,
    Command,
    Decision,
    Edit,
    Expire,
    GoStale,
    RecordFailed,
    RecordSent,
    RecordUnknown,
    Refusal,
    Reject,
    Resolve,
    StartSending,
    evolve,
)
from services.responder.facts import Approved, Fact, StaleReason
from services.responder.reply import Approval, Reply, State
from tests.unit.responder.replies import NOW, drafted

PEOPLE = st.sampled_from(["ann", "bo", "cy"])
TEXTS = st.sampled_from(["Yes.", "No.", "Perhaps."])
DISPATCHERS = st.sampled_from([0, 1])
FATES = st.sampled_from(["answered", "silent_after", "silent_before", "refused"])
LEASE, TIMEOUT = timedelta(seconds=60), timedelta(seconds=15)
Decide = Callable[[Reply, Command, datetime], Decision]


@dataclass
class InFlight:
    """What one dispatcher holds in its memory, and loses when it crashes."""

    reply: Reply
    lease_until: datetime
    outcome: Command | None = None


class Sending(RuleBasedStateMachine):
    """One reply after another, three people, two dispatchers, one network."""

    decide: ClassVar[Decide] = staticmethod(approval.decide)

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.start("Yes.", 1)

    def start(self, text: str, approvals_required: int) -> None:
        """A new reply; of the one before nothing more can happen."""
        self.arrived: list[str] = []
        """What the network got, by its hash."""
        self.facts: list[Fact] = []
        self.reply: Reply | None = None
        self.of_record: list[Approval] = []
        self.in_flight: dict[int, InFlight] = {}
        self.lease_until: datetime | None = None
        self.signed: dict[str, set[str]] = {}
        """Kept by the test itself: who approved which hash."""
        self.keep(drafted(text, approvals_required=approvals_required))

    def take(self, command: Command) -> tuple[Fact, ...]:
        """One transaction: decide under the lock, keep the facts, follow with the records."""
        if self.reply is None:
            return ()
        facts = type(self).decide(self.reply, command, self.now)
        if isinstance(facts, Refusal):
            return ()
        for fact in facts:
            self.keep(fact)
        return facts

    def keep(self, fact: Fact) -> None:
        self.reply = evolve(self.reply, fact)
        self.facts.append(fact)
        if isinstance(fact, Approved):
            self.of_record.append(Approval(fact.approver, fact.draft_version, fact.content_sha256))

    @precondition(lambda self: self.reply.state in {State.SENT, State.REJECTED, State.STALE} and not self.in_flight)
    @rule(text=TEXTS, approvals_required=st.sampled_from([1, 2]))
    def draft(self, text: str, approvals_required: int) -> None:
        self.start(text, approvals_required)

    @rule(person=PEOPLE, text=TEXTS)
    def edit(self, person: str, text: str) -> None:
        self.take(Edit(person, text, 280))

    @rule(person=PEOPLE)
    def approve(self, person: str) -> None:
        assert self.reply is not None
        content, editor = self.reply.content_sha256, self.reply.editor
        if self.take(Approve(person)) and not (self.reply.approvals_required > 1 and person == editor):
            self.signed.setdefault(content, set()).add(person)

    @rule(how=st.sampled_from([Reject("ann", "no"), Expire(timedelta(minutes=5)), GoStale(StaleReason.NEWER_POST)]))
    def drop(self, how: Command) -> None:
        self.take(how)

    @rule()
    def rebuild(self) -> None:
        """Every fact is told again, twice, and folded once: messages alone change and send nothing."""
        rebuilt: Reply | None = None
        for fact in dict.fromkeys([*self.facts, *self.facts]):
            rebuilt = evolve(rebuilt, fact)
        self.reply = rebuilt

    @rule(text=TEXTS)
    def damage(self, text: str) -> None:
        """A restored backup, a hand in the database: the text changes and no fact says so."""
        assert self.reply is not None
        self.reply = replace(self.reply, text=text)

    @rule(seconds=st.sampled_from([1, 30, 60, 600]))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule(dispatcher=DISPATCHERS)
    def begin(self, dispatcher: int) -> None:
        """Both dispatchers may try at any moment; the reply's lock lets one of them go first."""
        facts = self.take(StartSending(tuple(self.of_record)))
        if facts and self.reply is not None and self.reply.state is State.SENDING:
            self.lease_until = self.now + LEASE
            self.in_flight[dispatcher] = InFlight(self.reply, self.lease_until)

    @precondition(lambda self: self.in_flight)
    @rule(dispatcher=DISPATCHERS, fate=FATES)
    def transmit(self, dispatcher: int, fate: str) -> None:
        flight = self.in_flight.get(dispatcher)
        if flight is None or flight.outcome is not None:
            return
        attempt = flight.reply.attempt
        if self.now > flight.lease_until - TIMEOUT:
            flight.outcome = RecordFailed(attempt, "LEASE_TOO_SHORT")
            return
        if fate in {"answered", "silent_after"}:
            self.arrived.append(flight.reply.content_sha256)
        outcomes: dict[str, Command] = {
            "answered": RecordSent(attempt, "n1"),
            "refused": RecordFailed(attempt, "CONNECT_ERROR"),
        }
        flight.outcome = outcomes.get(fate, RecordUnknown(attempt, "READ_TIMEOUT"))

    @rule(dispatcher=DISPATCHERS, fate=FATES)
    def dispatch(self, dispatcher: int, fate: str) -> None:
        """A whole attempt that nothing interrupts."""
        self.begin(dispatcher)
        self.transmit(dispatcher, fate)
        self.settle(dispatcher)

    @precondition(lambda self: self.in_flight)
    @rule(dispatcher=DISPATCHERS)
    def settle(self, dispatcher: int) -> None:
        flight = self.in_flight.get(dispatcher)
        if flight is not None and flight.outcome is not None:
            self.take(flight.outcome)
            del self.in_flight[dispatcher]

    @precondition(lambda self: self.in_flight)
    @rule(dispatcher=DISPATCHERS)
    def crash(self, dispatcher: int) -> None:
        self.in_flight.pop(dispatcher, None)

    @precondition(lambda self: self.reply.state is State.SENDING)
    @rule()
    def lease_ends(self) -> None:
        assert self.reply is not None
        assert self.lease_until is not None
        if self.now >= self.lease_until:
            self.take(RecordUnknown(self.reply.attempt, "LEASE_EXPIRED"))

    @precondition(lambda self: self.reply.state is State.UNRESOLVED)
    @rule(by_a_person=st.booleans())
    def reconcile(self, by_a_person: bool) -> None:  # noqa: FBT001 - drawn by Hypothesis
        assert self.reply is not None
        attempt, arrived = self.reply.attempt, bool(self.arrived)
        if by_a_person:
            self.take(Resolve("n1" if arrived else None))
        else:
            self.take(RecordSent(attempt, "n1") if arrived else RecordFailed(attempt, "NOT_ARRIVED"))

    @invariant()
    def only_what_enough_people_approved_arrived(self) -> None:
        required = self.reply.approvals_required if self.reply else 1
        for content in self.arrived:
            assert len(self.signed.get(content, ())) >= required

    @invariant()
    def nothing_arrived_twice(self) -> None:
        assert len(self.arrived) <= 1


class WithoutHashCheck(Sending):
    """A dispatcher that takes the state for the approval."""

    @staticmethod
    def decide(reply: Reply, command: Command, now: datetime) -> Decision:  # type: ignore[override]
        if isinstance(command, StartSending):
            forged = (Approval(person, reply.draft_version, reply.content_sha256) for person in ("x", "y"))
            command = StartSending(tuple(forged))
        return approval.decide(reply, command, now)


class BlindResend(Sending):
    """A dispatcher that sends again what may have arrived."""

    @staticmethod
    def decide(reply: Reply, command: Command, now: datetime) -> Decision:  # type: ignore[override]
        if isinstance(command, StartSending) and reply.state is State.UNRESOLVED:
            reply = replace(reply, state=State.FAILED)
        return approval.decide(reply, command, now)


def test_no_interleaving_sends_the_unapproved_or_sends_twice() -> None:
    thorough = settings(max_examples=200, stateful_step_count=50, deadline=None)
    run_state_machine_as_test(Sending, settings=thorough)


@pytest.mark.parametrize("mutant", [WithoutHashCheck, BlindResend])
def test_the_machine_finds_a_mutant(mutant: type[Sending]) -> None:
    seeded = settings(
        max_examples=2_000,
        stateful_step_count=50,
        deadline=None,
        derandomize=True,
        phases=[Phase.generate],
        report_multiple_bugs=False,
    )
    with pytest.raises(AssertionError):
        run_state_machine_as_test(mutant, settings=seeded)
