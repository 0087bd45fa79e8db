"""Where a classified post goes next: the whole of Ascolto's routing on one screen."""

from collections.abc import Mapping
from typing import Final

from ascolto.classification.v1 import classification_pb2 as pb
from contracts.topics import COMPLAINTS, FEEDBACKS, OTHER, QUESTIONS, TRIAGE, Topic

BY_CATEGORY: Final[Mapping[int, Topic]] = {
    pb.CATEGORY_QUESTION: QUESTIONS,
    pb.CATEGORY_COMPLAINT: COMPLAINTS,
    pb.CATEGORY_FEEDBACK: FEEDBACKS,
    pb.CATEGORY_OTHER: OTHER,
}


def route(classification: pb.Classification) -> Topic:
    """The topic of a classification: what the model was not sure of goes to triage, the rest by category."""
    if classification.decision == pb.DECISION_ABSTAINED:
        return TRIAGE
    return BY_CATEGORY[classification.category]
