"""What people say that posts are: it stands over every model, and over later revisions of the post."""

from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from ascolto.classification.v1 import classification_pb2 as pb
from services.routing.judgement import CATEGORY_OF
from services.routing.vocabulary import CATEGORIES, KINDS

CATEGORY_OF_KIND: Final = {
    pb.Kind.Value(f"KIND_{kind.name}"): pb.Category.Value(f"CATEGORY_{category.name}")
    for kind, category in CATEGORY_OF.items()
}


class Label(NamedTuple):
    """One row of the table, in the order of its columns; words are those of `vocabulary`."""

    post_name: str
    tenant: str
    id: UUID
    category: str
    kind: str | None
    """None where the person gave none."""
    reason: str
    corrected_by: str
    corrected_at: datetime
    revision: int
    """Of the post, when it was labelled."""

    @property
    def author(self) -> str:
        """Stands in ids in the place of a model."""
        return f"person@{self.id}"


def labelled(classification: pb.Classification, label: Label) -> pb.Classification:
    """What the model said, with the person's category and kind in the place of its own.

    Where the person gave no kind the model's stands, as long as it is of the category.
    """
    category = CATEGORIES[label.category]
    own = classification.kind if CATEGORY_OF_KIND.get(classification.kind) == category else pb.KIND_UNSPECIFIED
    found = pb.Classification()
    found.CopyFrom(classification)
    found.category = category
    found.kind = KINDS[label.kind] if label.kind is not None else own
    found.decision = pb.DECISION_CORRECTED
    found.stage = pb.STAGE_PERSON
    return found
