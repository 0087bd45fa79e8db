"""Answers that were given lately, so that the same post gets the same answer when it is delivered again."""

from collections import OrderedDict
from hashlib import sha256
from typing import Final

from services.routing.language_model.answer import Answer

MAX_ANSWERS: Final = 10_000
"""Two batches may be delivered again; this holds twenty of the largest size's unsure posts, in a few megabytes."""


def key_of(model: str, prompt: str) -> bytes:
    """By what an answer is found again; holds nothing that anyone wrote."""
    return sha256(f"{model}\x00{prompt}".encode()).digest()


class Answers:
    """The least recently used leave first."""

    def __init__(self, max_answers: int = MAX_ANSWERS) -> None:
        self._max_answers = max_answers
        self._answers: OrderedDict[bytes, Answer] = OrderedDict()

    def get(self, key: bytes) -> Answer | None:
        """What was answered, if that is still known."""
        answer = self._answers.get(key)
        if answer is not None:
            self._answers.move_to_end(key)
        return answer

    def put(self, key: bytes, answer: Answer) -> None:
        """Remember an answer."""
        self._answers[key] = answer
        self._answers.move_to_end(key)
        if len(self._answers) > self._max_answers:
            self._answers.popitem(last=False)
