"""The words of the contracts as the tables spell them, and back."""

from typing import Final

from ascolto.classification.v1 import classification_pb2 as pb

CATEGORY_WORDS: Final = {
    pb.CATEGORY_QUESTION: "question",
    pb.CATEGORY_COMPLAINT: "complaint",
    pb.CATEGORY_FEEDBACK: "feedback",
    pb.CATEGORY_OTHER: "other",
}
CATEGORIES: Final = {word: category for category, word in CATEGORY_WORDS.items()}

KIND_WORDS: Final = {value: pb.Kind.Name(value).removeprefix("KIND_").lower() for value in pb.Kind.values()}
KINDS: Final = {word: kind for kind, word in KIND_WORDS.items()}
NO_KIND: Final = KIND_WORDS[pb.KIND_UNSPECIFIED]

DECISION_WORDS: Final = {
    pb.DECISION_ASSIGNED: "assigned",
    pb.DECISION_ABSTAINED: "abstained",
    pb.DECISION_RULE: "rule",
    pb.DECISION_CORRECTED: "corrected",
}

STAGE_WORDS: Final = {
    pb.STAGE_UNSPECIFIED: "none",
    pb.STAGE_LINEAR: "linear",
    pb.STAGE_ENCODER: "encoder",
    pb.STAGE_LANGUAGE_MODEL: "language_model",
    pb.STAGE_PERSON: "person",
}

UNKNOWN_LANGUAGE: Final = "und"


def primary_language(tag: str) -> str:
    """The primary subtag of a BCP 47 tag in lower case: "pt" of "pt-BR"; "und" of nothing."""
    return tag.partition("-")[0].lower() or UNKNOWN_LANGUAGE
