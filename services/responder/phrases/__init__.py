"""What the template drafter says in each language, read from the TOML files beside this module."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from services.responder.words import fold

FALLBACK: Final = "en"
LANGUAGES: Final = ("en", "it", "es", "fr", "de", "pt")


class Problem(BaseModel):
    """A kind of trouble: the words that tell of it, what acknowledges it, and the detail that helps to solve it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    words: tuple[str, ...]
    acknowledge: str
    ask: str
    personal: bool = False
    """What is asked for must not be said where others read it."""


class Phrases(BaseModel):
    """One language."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    greeting: str
    """With {name}."""
    greeting_nobody: str
    signature: str
    """With {brand}."""
    acknowledge: str
    """For a complaint whose kind is not known."""
    thanks: str
    """Opens the answer to a question that the articles do not answer."""
    look: str
    """Promises that a person looks, and says nothing that is not true."""
    more: str
    """Closes an answer: what to do if it did not help."""
    in_private: str
    """Asks for a detail where others cannot read it."""
    problems: Mapping[str, Problem] = Field(default_factory=dict)
    stopwords: tuple[str, ...] = ()

    def folded_stopwords(self) -> frozenset[str]:
        """The words that say nothing about the subject, as `words.terms` wants them."""
        return frozenset(fold(word) for word in self.stopwords)


@cache
def phrases(language: str) -> Phrases:
    """The phrases of one of `LANGUAGES`."""
    content = (Path(__file__).parent / f"{language}.toml").read_text(encoding="utf-8")
    return Phrases.model_validate(tomllib.loads(content))


def supported(language: str | None) -> str:
    """The language to answer in: the given one (BCP 47) where we speak it, else the fallback."""
    base = (language or "").replace("_", "-").partition("-")[0].lower()
    return base if base in LANGUAGES else FALLBACK
