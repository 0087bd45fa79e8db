"""What a language model may answer: a closed schema; whatever else it says is no answer."""

from typing import Annotated, Final, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from services.routing.judgement import CATEGORY_OF, Category, Kind

MAX_REASON_CHARACTERS: Final = 160
_LONGEST_REASON: Final = 2_000


class Invalid(ValueError):  # noqa: N818 - named after what the answer is
    """The answer is none of those that are allowed. Quotes nothing of it."""


class Answer(BaseModel):
    """The model's word about one post."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True)

    category: Category
    kind: Kind
    confidence: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
    """As the model says: no calibrated probability."""
    reason: Annotated[str, Field(max_length=_LONGEST_REASON)]

    @model_validator(mode="after")
    def _agrees(self) -> Self:
        if self.kind is Kind.OWN or CATEGORY_OF[self.kind] is not self.category:
            raise ValueError("the kind is not of the category")
        return self

    def shown_reason(self) -> str:
        """For agents: short, of one line, and without what would steer a terminal."""
        printable = "".join(each if each.isprintable() else " " for each in self.reason)
        words = " ".join(printable.split())
        return words if len(words) <= MAX_REASON_CHARACTERS else words[: MAX_REASON_CHARACTERS - 1] + "…"


class _Message(BaseModel):
    content: str


class _Choice(BaseModel):
    message: _Message


class _Completion(BaseModel):
    choices: Annotated[list[_Choice], Field(min_length=1)]


def read_answer(body: bytes) -> Answer:
    """The answer in the body of a chat completion; raises `Invalid`."""
    try:
        completion = _Completion.model_validate_json(body)
        return Answer.model_validate_json(completion.choices[0].message.content)
    except ValidationError as error:
        raise Invalid("the language model did not answer in the form that it was asked for") from error
