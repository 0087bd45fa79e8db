"""The words of the contracts as the tables spell them, and back."""

from typing import Final

from ascolto.classification.v1 import classification_pb2 as classification
from ascolto.posts.v1 import post_pb2 as posts

CATEGORY_WORDS: Final = {
    classification.CATEGORY_QUESTION: "question",
    classification.CATEGORY_COMPLAINT: "complaint",
    classification.CATEGORY_FEEDBACK: "feedback",
    classification.CATEGORY_OTHER: "other",
}
CATEGORIES: Final = {word: category for category, word in CATEGORY_WORDS.items()}

DECISION_WORDS: Final = {
    classification.DECISION_ASSIGNED: "assigned",
    classification.DECISION_ABSTAINED: "abstained",
    classification.DECISION_RULE: "rule",
    classification.DECISION_CORRECTED: "corrected",
}
MODEL: Final = "model"
PERSON: Final = "person"
"""Who decided a category; of the two a person's word stands."""
STATE_WORDS: Final = {
    posts.STATE_LIVE: "live",
    posts.STATE_EDITED: "edited",
    posts.STATE_DELETED: "deleted",
}
DIRECTION_WORDS: Final = {posts.DIRECTION_INBOUND: "inbound", posts.DIRECTION_OWN: "own"}

UNKNOWN_LANGUAGE: Final = "und"


def primary_language(tag: str) -> str:
    """The primary subtag of a BCP 47 tag in lower case: "pt" of "pt-BR"; "und" of nothing."""
    return tag.partition("-")[0].lower() or UNKNOWN_LANGUAGE
