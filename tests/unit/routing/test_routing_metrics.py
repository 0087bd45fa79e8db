"""What routing's metrics say of a batch, read through a real meter provider."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import HistogramDataPoint, InMemoryMetricReader

from ascolto.classification.v1 import classification_pb2 as pb
from services.routing import metrics
from services.routing.judgement import Category, Judgement, Kind, Text
from tests.factories import make_classification


def _judgement(category: Category, confidence: float, *, language: str | None, abstained: bool = False) -> Judgement:
    others = [each for each in Category if each is not category]
    probabilities = {category: confidence} | dict.fromkeys(others, (1 - confidence) / 3)
    return Judgement(category, abstained, probabilities, language, (), "models/m", Kind.CHATTER, 3)


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemoryMetricReader]:
    """The instruments of the module, but of a provider of the test's own."""
    reader = InMemoryMetricReader()
    provider = MeterProvider([reader])
    meter = provider.get_meter("test")
    monkeypatch.setattr(metrics, "_classified", meter.create_counter("ascolto.routing.classified"))
    monkeypatch.setattr(metrics, "_confidence", meter.create_histogram("ascolto.routing.confidence"))
    monkeypatch.setattr(metrics, "_labelled", meter.create_counter("ascolto.routing.labelled"))
    monkeypatch.setattr(metrics, "_network", metrics._Bounded(2))
    yield reader
    provider.shutdown()


def _points(reader: InMemoryMetricReader, name: str) -> list[Any]:
    data = reader.get_metrics_data()
    resources = data.resource_metrics if data else []
    found = [metric for resource in resources for scope in resource.scope_metrics for metric in scope.metrics]
    return [point for metric in found if metric.name == name for point in metric.data.data_points]


def test_posts_are_counted_by_what_was_made_of_them(reader: InMemoryMetricReader) -> None:
    sure = _judgement(Category.QUESTION, 0.9, language="it")
    unsure = _judgement(Category.OTHER, 0.4, language=None, abstained=True)
    metrics.judged([Text("a", network="x")] * 3, [sure, unsure, sure])
    counted = {tuple(point.attributes.values()): point.value for point in _points(reader, "ascolto.routing.classified")}
    assert counted == {("x", "it", "question", "linear", False): 2, ("x", "und", "other", "linear", True): 1}


def test_confidence_is_the_mean_of_a_batch_by_network_and_language(reader: InMemoryMetricReader) -> None:
    judgements = [_judgement(Category.QUESTION, share, language="it") for share in (0.9, 0.5)]
    metrics.judged([Text("a", network="x")] * 2, judgements)
    [point] = _points(reader, "ascolto.routing.confidence")
    assert isinstance(point, HistogramDataPoint)
    assert point.count == 1
    assert point.sum == pytest.approx(0.7)


def test_networks_without_end_make_no_series_without_end(reader: InMemoryMetricReader) -> None:
    texts = [Text("a", network=f"n{number}") for number in range(50)]
    metrics.judged(texts, [_judgement(Category.OTHER, 0.9, language="en")] * 50)
    points = _points(reader, "ascolto.routing.classified")
    assert {point.attributes[metrics.NETWORK]: point.value for point in points} == {"n0": 1, "n1": 1, "other": 48}


@pytest.mark.parametrize(
    ("network", "decision", "stage", "counted"),
    [
        ("n0", pb.DECISION_ASSIGNED, pb.STAGE_LINEAR, [("n0", "0.9-1.0", True)]),
        ("", pb.DECISION_ABSTAINED, pb.STAGE_ENCODER, [("und", "0.9-1.0", True)]),
        ("n0", pb.DECISION_ASSIGNED, pb.STAGE_LANGUAGE_MODEL, [("n0", "none", True)]),
        ("n0", pb.DECISION_CORRECTED, pb.STAGE_PERSON, []),
        ("n0", pb.DECISION_RULE, pb.STAGE_UNSPECIFIED, []),
    ],
)
def test_a_persons_word_is_counted_by_how_sure_and_right_the_model_was(
    reader: InMemoryMetricReader,
    network: str,
    decision: pb.Decision.ValueType,
    stage: pb.Stage.ValueType,
    counted: list[tuple[str, str, bool]],
) -> None:
    judged = make_classification(pb.CATEGORY_QUESTION, decision)
    judged.stage = stage
    metrics.labelled(network, judged, pb.CATEGORY_QUESTION)
    assert [tuple(point.attributes.values()) for point in _points(reader, "ascolto.routing.labelled")] == counted


def test_labels_make_no_series_without_end(reader: InMemoryMetricReader) -> None:
    for number in range(50):
        metrics.labelled(f"n{number}", make_classification(pb.CATEGORY_QUESTION), pb.CATEGORY_OTHER)
    points = _points(reader, "ascolto.routing.labelled")
    assert {point.attributes[metrics.NETWORK]: point.value for point in points} == {"n0": 1, "n1": 1, "other": 48}
    assert {point.attributes[metrics.RIGHT] for point in points} == {False}


def test_a_measured_classifier_answers_what_the_classifier_answers(reader: InMemoryMetricReader) -> None:
    class Fake:
        model = "models/m"

        def classify(self, texts: Sequence[Text]) -> list[Judgement]:
            return [_judgement(Category.OTHER, 0.9, language=text.language) for text in texts]

    texts = [Text("a", "it"), Text("b", "en")]
    assert metrics.Measured.over(Fake()).classify(texts) == Fake().classify(texts)
    assert len(_points(reader, "ascolto.routing.classified")) == 2
