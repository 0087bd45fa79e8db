"""What a candidate says beside what stands, and what a report counts: without any server."""

from collections.abc import Sequence

import pytest

from ascolto.classification.v1 import classification_pb2 as pb
from services.routing.decisions import CATEGORIES, no_mix
from services.routing.judgement import Category, Judgement, Kind, Mix, Text
from services.routing.reclassification.candidates import Candidate, Stood, judge
from services.routing.reclassification.comparison import Agreement, Cell, Comparison
from tests.factories import make_post_classified


class Complains:
    """Takes everything for a bug report, sure of it unless it abstains."""

    model = "models/complains@1"

    def __init__(self, *, abstains: bool = False) -> None:
        self.abstains = abstains

    def classify(self, texts: Sequence[Text]) -> list[Judgement]:
        return [
            Judgement(
                category=Category.COMPLAINT,
                abstained=self.abstains,
                probabilities={each: 0.7 if each is Category.COMPLAINT else 0.1 for each in Category},
                language="en",
                reasons=("word:lamp",),
                model=self.model,
                kind=Kind.BUG_REPORT,
                sentiment=2,
            )
            for _ in texts
        ]


def stood(
    category: str = "question",
    decision: str = "assigned",
    kind: str = "information_request",
    *,
    label: str | None = None,
    stage: str = "linear",
) -> Stood:
    message = make_post_classified()
    return Stood(message.post.name, 1, "en", "x", label, category, decision, kind, stage, message.SerializeToString())


def judged(given: Stood, *, abstains: bool = False) -> Candidate:
    (found,) = judge(Complains(abstains=abstains), [given])
    return found


@pytest.mark.parametrize(
    ("given", "differs"),
    [
        (stood(), True),
        (stood("complaint", "assigned", "bug_report"), False),
        (stood("complaint", "abstained", "bug_report"), True),
        (stood("complaint", "assigned", "service_problem"), True),
        (stood("question", "corrected", "information_request", label="question"), False),
    ],
)
def test_what_differs_is_category_decision_or_kind_of_what_no_person_labelled(given: Stood, differs: bool) -> None:  # noqa: FBT001 - expected
    found = judged(given)
    assert (found.differs, found.payload is not None) == (differs, differs)


@pytest.mark.parametrize(
    ("stage", "label", "abstains", "expected"),
    [
        ("language_model", None, True, (False, True)),
        ("language_model", None, False, (True, False)),
        ("language_model", "question", True, (False, False)),
        ("encoder", None, True, (True, False)),
    ],
)
def test_a_candidate_that_is_unsure_does_not_differ_from_a_language_model(
    stage: str,
    label: str | None,
    abstains: bool,  # noqa: FBT001 - what the candidate does
    expected: tuple[bool, bool],
) -> None:
    found = judged(stood(label=label, stage=stage), abstains=abstains)
    assert (found.differs, found.stands_by_language_model) == expected
    assert (found.payload is not None) == found.differs


def test_of_a_labelled_post_the_report_knows_what_the_model_had_thought() -> None:
    found = judged(stood("feedback", "corrected", "praise", label="feedback"))
    assert (found.was_category, found.category, found.label) == ("question", "complaint", "feedback")


def test_what_may_be_promoted_is_the_whole_classification() -> None:
    made = pb.Classification.FromString(judged(stood()).payload or b"")
    assert (made.kind, made.model, list(made.reasons)) == (pb.KIND_BUG_REPORT, Complains.model, ["word:lamp"])


@pytest.mark.parametrize("message", [make_post_classified(own=True), make_post_classified(text="")])
def test_what_needs_no_model_is_passed_over(message: pb.PostClassified) -> None:
    given = stood()._replace(payload=message.SerializeToString())
    assert judge(Complains(), [given]) == []


CELLS = (
    Cell("en", "x", "question", "question", 10, 2),
    Cell("en", "x", "question", "abstained", 5, 3, 2),
    Cell("en", "x", "abstained", "other", 4, 4),
    Cell("it", "x", "complaint", "other", 5, 5),
)
FOUND = Comparison(CELLS, [Agreement("en", "x", 8, 6, 7), Agreement("und", "x", 2, 0, 1)])


def test_changes_are_told_by_what_becomes_of_the_posts() -> None:
    assert FOUND.changes() == {
        "to_another_category": 5,
        "into_triage": 3,
        "out_of_triage": 4,
        "finer_only": 2,
    }


def test_a_group_holds_posts_and_labels_of_one_place() -> None:
    english = FOUND.groups()["en", "x"]
    assert (english.posts, english.equal, english.differing, english.stands_by_language_model) == (19, 8, 9, 2)
    assert (english.stands_abstains, english.candidate_abstains) == (4, 5)
    assert (english.stands_accuracy, english.candidate_accuracy) == (0.75, 0.875)
    assert FOUND.groups()["it", "x"].candidate_accuracy is None


def test_the_total_is_that_of_all_groups() -> None:
    total, groups = FOUND.total(), FOUND.groups().values()
    assert (total.posts, total.differing, total.labels, total.candidate_right) == (
        sum(group.posts for group in groups),
        sum(group.differing for group in groups),
        10,
        8,
    )


class Listens(Complains):
    """Keeps the mixes that it was told."""

    def __init__(self) -> None:
        super().__init__()
        self.told: list[Mix | None] = []

    def classify(self, texts: Sequence[Text]) -> list[Judgement]:
        self.told += [text.mix for text in texts]
        return super().classify(texts)


def under(mix: Mix) -> Stood:
    """What was decided under a mix."""
    message = make_post_classified()
    for category, share in zip(CATEGORIES.values(), mix, strict=True):
        message.classification.mix.add(category=category, probability=share)
    return stood()._replace(payload=message.SerializeToString())


def test_a_candidate_is_told_the_mix_of_each_stream() -> None:
    candidate, mix = Listens(), Mix(0.125, 0.625, 0.125, 0.125)
    judge(candidate, [stood()], lambda _, stream: mix if stream.network == "x" else None)
    judge(candidate, [under(mix)], no_mix)
    assert candidate.told == [mix, None]


def test_a_candidate_whose_tenants_rules_are_not_known_is_told_the_mix_of_what_stands() -> None:
    candidate, mix = Listens(), Mix(0.125, 0.625, 0.125, 0.125)
    judge(candidate, [under(mix)])
    judge(candidate, [stood()])
    assert candidate.told == [mix, None]
