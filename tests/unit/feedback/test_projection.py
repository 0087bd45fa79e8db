"""The fold: which change stands, what is counted, what is told; and that order means nothing to it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.feedback.projection import Cell, Heard, fold, hour_of
from tests.unit.feedback.histories import NOON, folded, heard, histories

HOUR = datetime(2026, 11, 22, 12, tzinfo=UTC)
COMPLAINT = Cell("acme", HOUR, "complaint", "x", "en", triage=False)
QUESTION = COMPLAINT._replace(category="question")


def test_a_new_post_counts_in_its_cell() -> None:
    assert fold({}, [heard()]).volumes == {COMPLAINT: 1}


def test_an_edit_moves_the_count() -> None:
    created, edited = heard(), heard(revision=2, state="edited", category="question")
    changes = fold({created.post.post_name: created.post}, [edited])
    assert changes.volumes == {COMPLAINT: -1, QUESTION: 1}


def test_an_edit_within_a_cell_moves_nothing() -> None:
    created, edited = heard(), heard(revision=2, state="edited")
    assert fold({created.post.post_name: created.post}, [edited]).volumes == {}


def test_a_deletion_takes_the_count_out_and_keeps_no_evidence() -> None:
    created = heard()
    changes = fold({created.post.post_name: created.post}, [heard(state="deleted")])
    assert (changes.volumes, changes.posts[0].evidence) == ({COMPLAINT: -1}, None)


@pytest.mark.parametrize("state", ["live", "edited"])
def test_a_deletion_is_final_even_before_the_creation_and_with_a_lower_revision(state: str) -> None:
    gone = heard(revision=1, state="deleted")
    changes = fold({gone.post.post_name: gone.post}, [heard(revision=9, state=state)])
    assert (changes.posts, changes.volumes, changes.insights) == ([], {}, [])


def test_an_older_revision_is_ignored() -> None:
    edited = heard(revision=3, state="edited")
    assert fold({edited.post.post_name: edited.post}, [heard(revision=2, state="edited")]).posts == []


def test_a_later_classification_of_the_same_revision_stands() -> None:
    first, second = heard(model="m1"), heard(model="m2", category="question", heard_at=NOON + timedelta(seconds=1))
    assert folded([[first, second]]).state() == folded([[second], [first]]).state()
    assert folded([[second], [first]]).counted() == {QUESTION: 1}


def correction(**parts: Any) -> Heard:
    """A person says, an hour later, that it is a question."""
    told: dict[str, Any] = {
        "model": "person",
        "decision": "corrected",
        "category": "question",
        "heard_at": NOON + timedelta(hours=1),
    }
    return heard(**(told | parts))


def test_a_correction_moves_the_count_and_says_where_from() -> None:
    unsure = heard(decision="abstained")
    changes = fold({unsure.post.post_name: unsure.post}, [correction()])
    assert changes.volumes == {COMPLAINT._replace(triage=True): -1, QUESTION: 1}
    (told,) = changes.insights
    assert (told.category, told.was_category, told.triage, told.was_triage) == ("question", "complaint", False, True)


def test_a_model_that_decides_later_does_not_outrank_a_person() -> None:
    later = heard(model="m2", heard_at=NOON + timedelta(days=1))
    assert folded([[correction(), later]]).counted() == {QUESTION: 1}


def test_of_two_corrections_the_later_one_stands() -> None:
    again = correction(category="feedback", heard_at=NOON + timedelta(hours=2))
    second = replace(again, post=again.post._replace(event_id=UUID(int=1)))
    assert folded([[second], [correction()]]).counted() == {COMPLAINT._replace(category="feedback"): 1}


def test_a_correction_does_not_reach_a_later_revision() -> None:
    edited = heard(revision=2, state="edited")
    assert folded([[edited], [correction()]]).state() == folded([[correction()], [edited]]).state()
    assert folded([[edited], [correction()]]).counted() == {COMPLAINT: 1}


@pytest.mark.parametrize("batched", [True, False])
def test_what_is_corrected_before_it_is_read_counts_when_it_was_heard(*, batched: bool) -> None:
    early, late = correction(dated=False), heard(dated=False)
    model = folded([[early, late]] if batched else [[early], [late]])
    assert (model.counted(), +model.volumes) == ({QUESTION: 1}, {QUESTION: 1})
    assert [time for time, _ in model.insights.values()] == [NOON]


def test_an_edit_whose_network_tells_no_time_counts_when_it_was_heard() -> None:
    later = heard(revision=2, state="edited", dated=False, heard_at=NOON + timedelta(hours=2))
    counted = folded([[heard(dated=False)], [later]]).counted()
    assert counted == {COMPLAINT._replace(hour=HOUR + timedelta(hours=2)): 1}


def test_own_posts_are_kept_but_neither_counted_nor_told() -> None:
    changes = fold({}, [heard(direction="own")])
    assert ([each.evidence for each in changes.posts], changes.volumes, changes.insights) == ([None], {}, [])


@pytest.mark.parametrize("batched", [True, False])
def test_a_post_that_turns_out_to_be_the_brands_own_is_taken_from_those_who_have_it(*, batched: bool) -> None:
    taken, own = heard(), heard(revision=2, direction="own")
    again = heard(revision=3, state="edited", direction="own")
    model = folded([[taken, own, again]] if batched else [[taken], [own], [again]])
    assert list(model.insights) == [taken.event_id, own.event_id]


def test_what_waits_for_a_person_counts_as_triage() -> None:
    assert fold({}, [heard(decision="abstained")]).volumes == {COMPLAINT._replace(triage=True): 1}


def test_insights_of_a_batch_keep_its_order_and_say_what_a_post_was() -> None:
    edited = heard(revision=2, state="edited", category="question")
    learnt = fold({}, [heard("a"), heard("p"), edited]).insights
    assert [each.event_id for each in learnt][-1] == edited.event_id
    assert [(each.category, each.was_category) for each in learnt] == [
        ("complaint", None), ("complaint", None), ("question", "complaint"),
    ]  # fmt: skip


def test_a_removal_is_told_to_every_filter_but_that_of_another_network() -> None:
    (removal,) = fold({}, [heard(state="deleted")]).insights
    assert (removal.network, removal.category, removal.language, removal.triage) == ("x", None, None, None)


def test_hours_are_those_of_utc() -> None:
    assert hour_of(datetime(2026, 1, 1, 0, 15, tzinfo=timezone(timedelta(hours=5, minutes=30)))) == datetime(
        2025, 12, 31, 18, tzinfo=UTC
    )


@given(history=histories, data=st.data())
def test_any_interleaving_and_repetition_ends_in_the_same_state(history: list[Heard], data: st.DataObject) -> None:
    repeats = data.draw(st.lists(st.sampled_from(history), max_size=6)) if history else []
    shuffled = data.draw(st.permutations(history + repeats))
    cut = data.draw(st.integers(0, len(shuffled)))
    assert folded([shuffled[:cut], shuffled[cut:]]).state() == folded([[each] for each in history]).state()


@given(history=histories, data=st.data())
def test_the_counts_are_always_those_of_the_posts_that_stand(history: list[Heard], data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 5))
    model = folded([history[at : at + size] for at in range(0, len(history), size)])
    assert {cell: count for cell, count in model.volumes.items() if count} == model.counted()
