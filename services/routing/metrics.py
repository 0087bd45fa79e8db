"""What routing measures of its classifier, so that drift is seen: how much of what it decided, and how sure it was."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Final

from opentelemetry import metrics

from ascolto.classification.v1 import classification_pb2 as pb
from services.routing.decisions import Classifier
from services.routing.drift import BINS, bin_of, confidence_of
from services.routing.judgement import Judgement, Text

NETWORK: Final = "ascolto.network"
"""Attribute: where it was said."""
LANGUAGE: Final = "ascolto.language"
"""Attribute: BCP 47 primary subtag; und where it is not known."""
CATEGORY: Final = "ascolto.category"
"""Attribute: the likeliest category, also of what is left to a person."""
STAGE: Final = "ascolto.stage"
"""Attribute: which part of the cascade decided."""
ABSTAINED: Final = "ascolto.abstained"
"""Attribute: whether it is left to a person."""
CONFIDENCE: Final = "ascolto.confidence"
"""Attribute: the bin of how sure the classifier was, such as 0.8-0.9; none where a language model decided."""
RIGHT: Final = "ascolto.right"
"""Attribute: whether the model thought what the person says."""

MAX_NETWORKS: Final = 64
MAX_LANGUAGES: Final = 32
OTHERS: Final = "other"
"""The networks and languages beyond the bounds: posts name them, so they must not make series without end."""
_UNKNOWN: Final = "und"
_NO_CONFIDENCE: Final = "none"
_OF_MODELS: Final = {pb.DECISION_ASSIGNED, pb.DECISION_ABSTAINED}
_CONFIDENCE_BUCKETS: Final = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95, 0.98, 1.0)

_meter = metrics.get_meter("services.routing")
_classified = _meter.create_counter(
    "ascolto.routing.classified",
    unit="{post}",
    description="Posts that the classifier judged, by what it made of them; replays count again",
)
_confidence = _meter.create_histogram(
    "ascolto.routing.confidence",
    unit="1",
    description="Calibrated probability of the likeliest category: the mean of the posts of a batch",
    explicit_bucket_boundaries_advisory=_CONFIDENCE_BUCKETS,
)
_labelled = _meter.create_counter(
    "ascolto.routing.labelled",
    unit="{post}",
    description="Posts of which a person said what they are where a model's word stood, by how sure and right that was",
)


class _Bounded:
    """The first so many different words; every later one is `OTHERS`."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._known: set[str] = set()

    def __call__(self, word: str) -> str:
        if word not in self._known:
            if len(self._known) >= self._most:
                return OTHERS
            self._known.add(word)
        return word


_network = _Bounded(MAX_NETWORKS)
_language = _Bounded(MAX_LANGUAGES)


@dataclass
class Measured:
    """A classifier whose judgements are counted, as they are: before any human label."""

    model: str
    classifier: Classifier

    @classmethod
    def over(cls, classifier: Classifier) -> "Measured":
        """Measure `classifier`."""
        return cls(classifier.model, classifier)

    def classify(self, texts: Sequence[Text]) -> list[Judgement]:
        """Answer what the classifier answers."""
        judgements = self.classifier.classify(texts)
        judged(texts, judgements)
        return judgements


def judged(texts: Sequence[Text], judgements: Sequence[Judgement]) -> None:
    """Count a batch. Means are recorded and not each post, which would cost a sixth of the time to classify it."""
    counts: Counter[tuple[str, str, str, str, bool]] = Counter()
    confidences: dict[tuple[str, str], list[float]] = defaultdict(list)
    for text, judgement in zip(texts, judgements, strict=True):
        network, language = _network(text.network or _UNKNOWN), _language(judgement.language or _UNKNOWN)
        counts[network, language, judgement.category.value, judgement.stage.value, judgement.abstained] += 1
        confidences[network, language].append(max(judgement.probabilities.values(), default=0.0))
    for (network, language, category, stage, abstained), number in counts.items():
        attributes: dict[str, str | bool] = {NETWORK: network, LANGUAGE: language, CATEGORY: category, STAGE: stage}
        _classified.add(number, attributes | {ABSTAINED: abstained})
    for (network, language), values in confidences.items():
        _confidence.record(fmean(values), {NETWORK: network, LANGUAGE: language})


def labelled(network: str, judged: pb.Classification, category: pb.Category.ValueType) -> None:
    """Count that a person says `category` of a post where `judged` stood; another person's word is not a model's."""
    if judged.decision not in _OF_MODELS:
        return
    right = judged.category == category
    _labelled.add(1, {NETWORK: _network(network or _UNKNOWN), CONFIDENCE: _confidence_bin(judged), RIGHT: right})


def _confidence_bin(judged: pb.Classification) -> str:
    confidence = confidence_of(judged)
    if confidence is None:
        return _NO_CONFIDENCE
    number = bin_of(confidence)
    return f"{number / BINS:.1f}-{(number + 1) / BINS:.1f}"
