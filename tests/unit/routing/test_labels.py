"""What a person says takes the place of what the model said, and of nothing else."""

from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from ascolto.classification.v1 import classification_pb2 as pb
from ascolto.posts.v1 import post_pb2 as posts
from contracts import identity
from contracts.topics import CORRECTIONS, QUESTIONS
from services.routing.corrections import Standing, correct, no_rules, outgoing
from services.routing.decisions import classify_batch
from services.routing.judgement import Category, Judgement, Kind, Text
from services.routing.labels import CATEGORY_OF_KIND, Label, labelled
from tests.factories import NOW, make_classification, make_event, make_post_classified, make_post_received

COMPLAINT, QUESTION = pb.CATEGORY_COMPLAINT, pb.CATEGORY_QUESTION


def label_of(post: str, category: str = "question", kind: str | None = None) -> Label:
    return Label(post, "acme", UUID(int=5), category, kind, "they ask", "users/ada", NOW + timedelta(hours=1), 1)


class Sure:
    """A classifier that takes everything for a complaint."""

    model = "models/sure@1"

    def classify(self, texts: list[Text]) -> list[Judgement]:
        shares = dict.fromkeys(Category, 0.25)
        kind = Kind.SERVICE_PROBLEM
        return [Judgement(Category.COMPLAINT, False, shares, "en", (), self.model, kind, 2) for _ in texts]


def test_every_kind_has_its_category() -> None:
    assert CATEGORY_OF_KIND.keys() == set(pb.Kind.values()) - {pb.KIND_UNSPECIFIED}


@pytest.mark.parametrize(
    ("category", "kind", "expected"),
    [
        ("question", "information_request", pb.KIND_INFORMATION_REQUEST),
        ("question", None, pb.KIND_UNSPECIFIED),
        ("complaint", None, pb.KIND_BUG_REPORT),
        ("complaint", "service_problem", pb.KIND_SERVICE_PROBLEM),
    ],
)
def test_the_models_kind_stands_where_the_person_gave_none_and_it_fits(
    category: str, kind: str | None, expected: pb.Kind.ValueType
) -> None:
    said = make_classification(COMPLAINT)
    said.kind = pb.KIND_BUG_REPORT
    assert labelled(said, label_of("p", category, kind)).kind == expected


def test_what_else_the_model_said_is_kept() -> None:
    said = make_classification(COMPLAINT)
    said.sentiment = pb.SENTIMENT_NEGATIVE
    found = labelled(said, label_of("p"))
    assert (found.category, found.decision, found.stage) == (QUESTION, pb.DECISION_CORRECTED, pb.STAGE_PERSON)
    assert (found.sentiment, found.model, list(found.probabilities)) == (
        pb.SENTIMENT_NEGATIVE,
        said.model,
        list(said.probabilities),
    )
    assert said.category == COMPLAINT


def test_a_labelled_post_goes_where_the_person_said_under_an_id_of_its_own() -> None:
    event = make_event(make_post_received(native_id="p"))
    name = event.metadata.subject
    [plain] = classify_batch(Sure(), [event])  # type: ignore[arg-type, list-item] # a fake, and a PostReceived
    [found] = classify_batch(Sure(), [event], {name: label_of(name)})  # type: ignore[arg-type, list-item] # as above
    expected = identity.classification_event_id(event.metadata.event_id, f"person@{UUID(int=5)}")
    assert found.topic == QUESTIONS.name
    assert dict(found.headers)["ce_id"] == str(expected).encode() != dict(plain.headers)["ce_id"]


def test_a_deletion_is_a_deletion_whatever_the_label_says() -> None:
    event = make_event(make_post_received(native_id="p", state=posts.STATE_DELETED))
    name = event.metadata.subject
    [found] = classify_batch(Sure(), [event], {name: label_of(name)})  # type: ignore[arg-type, list-item] # as above
    assert pb.PostClassified.FromString(found.value).classification.decision == pb.DECISION_RULE


def test_a_correction_says_what_was_and_stands_over_it() -> None:
    standing = Standing(make_post_classified(COMPLAINT), "acme", uuid4(), NOW + timedelta(hours=2), NOW)
    correction = correct(standing, label_of(standing.message.post.name), no_rules)
    message, metadata = correction.message, correction.metadata
    assert (message.was, message.corrected.classification.category) == (COMPLAINT, QUESTION)
    assert (message.corrected.post, message.corrected.post_event_id) == (
        standing.message.post,
        standing.message.post_event_id,
    )
    assert metadata.time > standing.decided_at
    assert (metadata.causation_id, metadata.correlation_id) == (str(standing.event_id), standing.message.post_event_id)
    assert outgoing(correction).topic == CORRECTIONS.name


def test_a_correction_is_handled_anew() -> None:
    standing = Standing(make_post_classified(COMPLAINT), "acme", uuid4(), NOW, NOW)
    standing.message.handling.queue = "complaints"
    label = label_of(standing.message.post.name)
    by_rules = correct(standing, label, lambda made, _post, _at: pb.Handling(queue=pb.Category.Name(made.category)))
    without = correct(standing, label, no_rules)
    assert by_rules.message.corrected.handling.queue == "CATEGORY_QUESTION"
    assert not without.message.corrected.HasField("handling")
