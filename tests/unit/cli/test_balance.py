"""The ledger sees every way to lose or double an event, and calls nothing lost that something still holds."""

from dataclasses import replace
from typing import Any

import pytest

from cli.ledger.balance import Copy, Evidence, Fate, Stage, balance, fate_of

POST, QUESTION = ("posts", 0, 5), ("questions", 2, 9)
READ = {("posts", 0): 6}


def _evidence(**overrides: Any) -> Evidence:
    """One event, `e`, that went the whole way as classification `c`."""
    whole = Evidence(
        accepted={"e"},
        queued=set(),
        published={"e": [POST]},
        classified={"e": [Copy("c", QUESTION)]},
        triaged=set(),
        routing_committed=READ,
        feedback=Stage({"c"}, {("questions", 2): 10}),
        responder=Stage({"c"}, {("questions", 2): 10}),
        drafted={"e"},
        sent={"e"},
        undecided=set(),
        dead_lettered=set(),
    )
    return replace(whole, **overrides)


@pytest.mark.parametrize(
    ("evidence", "fate"),
    [
        pytest.param(_evidence(), "done", id="whole way"),
        pytest.param(_evidence(queued={"e"}, published={}, classified={}), "in_flight", id="in the outbox"),
        pytest.param(_evidence(published={}, classified={}), "lost", id="never published"),
        pytest.param(_evidence(classified={}, routing_committed={}), "in_flight", id="routing never read it"),
        pytest.param(
            _evidence(classified={}, routing_committed={("posts", 0): 5}), "in_flight", id="routing is just before it"
        ),
        pytest.param(_evidence(classified={}), "lost", id="routing committed past it"),
        pytest.param(_evidence(classified={}, dead_lettered={"e"}), "dead_lettered", id="routing refused it"),
        pytest.param(_evidence(feedback=Stage(set(), {("questions", 2): 9})), "in_flight", id="feedback is before it"),
        pytest.param(_evidence(feedback=Stage(set(), {("questions", 2): 10})), "lost", id="feedback passed it by"),
        pytest.param(_evidence(responder=Stage(set(), {("questions", 2): 10})), "lost", id="responder passed it by"),
        pytest.param(
            _evidence(responder=Stage(set(), {("questions", 2): 10}), dead_lettered={"e"}),
            "dead_lettered",
            id="responder refused it",
        ),
        pytest.param(_evidence(undecided={"e"}), "in_flight", id="draft under way"),
        pytest.param(
            _evidence(feedback=Stage(set(), {("questions", 2): 10}), responder=Stage(set(), {("questions", 2): 9})),
            "lost",
            id="the worst stage decides",
        ),
    ],
)
def test_the_fate_of_an_event(evidence: Evidence, fate: Fate) -> None:
    assert fate_of("e", evidence) == fate


def test_a_second_copy_before_the_consumer_keeps_an_event_in_flight() -> None:
    copies = {"e": [Copy("c", QUESTION), Copy("c", ("questions", 2, 30))]}
    evidence = _evidence(classified=copies, feedback=Stage(set(), {("questions", 2): 10}))
    assert fate_of("e", evidence) == "in_flight"


def test_accepted_is_the_sum_of_the_fates() -> None:
    evidence = _evidence(accepted={"e", "gone", "queued"}, queued={"queued"})
    ledger = balance(evidence)
    assert (ledger.accepted, ledger.in_flight, ledger.lost, ledger.classified) == (3, 1, 1, 1)
    assert ledger.lost_events == ("gone",)


def test_what_happened_twice_is_counted_by_kind() -> None:
    ledger = balance(_evidence(doubled={"replies_sent_twice": 2, "posts_miscounted": 0}))
    assert (ledger.doubled, ledger.doubled_by_kind) == (2, {"replies_sent_twice": 2})


def test_events_of_another_range_do_not_count() -> None:
    ledger = balance(_evidence(drafted={"e", "other"}, triaged={"other"}))
    assert (ledger.drafted, ledger.triaged) == (1, 0)
