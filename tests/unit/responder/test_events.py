"""Facts survive the way through their records, and each has an id of its own."""

from typing import cast

import pytest

from ascolto.replies.v1.reply_event_pb2 import ReplyEvent
from chassis.messages import Record
from contracts.codec import Event, decode
from services.responder import facts
from services.responder.change import Change
from services.responder.events import fact_of
from services.responder.facts import Evidence, Fact, StaleReason
from services.responder.reply import Reply
from tests.unit.responder.replies import NOW, drafted, pending

EVIDENCE = Evidence("articles/a", "A", "en", "00ff", "Passage.")
FACTS: list[Fact] = [
    facts.Edited(NOW, "Other.", 2, "ed"),
    facts.Approved(NOW, "ann", 1, "ab" * 32, 1),
    facts.Rejected(NOW, "ann", 1, "no"),
    *(facts.Stale(NOW, reason) for reason in StaleReason),
    facts.Sending(NOW, 1),
    facts.Sent(NOW, "n1", "ab" * 32, 1),
    facts.Failed(NOW, "HTTP_503", 1),
    facts.Unresolved(NOW, "READ_TIMEOUT", 1),
]


def through_kafka(before: Reply | None, fact: Fact) -> Event[ReplyEvent]:
    [message] = Change(before, (fact,)).messages()
    event = decode(Record(message.topic, 0, 0, 0, message.key, message.value, message.headers))
    return cast("Event[ReplyEvent]", event)


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.name)
def test_a_fact_is_the_same_after_its_way_through_a_record(fact: Fact) -> None:
    assert fact_of(through_kafka(pending(), fact)) == fact


def test_a_drafted_reply_is_the_same_after_its_way_through_a_record() -> None:
    fact = facts.Drafted(
        **{name: getattr(drafted(), name) for name in drafted().__slots__}
        | {"evidence": (EVIDENCE,), "respond_by": NOW}
    )
    assert fact_of(through_kafka(None, fact)) == fact


def test_repeats_of_a_fact_have_ids_of_their_own() -> None:
    repeats = (*FACTS[:2], facts.Approved(NOW, "bo", 2, "cd" * 32, 0), *FACTS[-4:], facts.Sending(NOW, 2))
    ids = [event_id for event_id, _ in Change(pending(), repeats).identified()]
    assert len(set(ids)) == len(ids)


def test_the_same_decision_has_the_same_ids_again() -> None:
    change = Change(pending(), tuple(FACTS[:2]))
    assert change.identified() == change.identified()
