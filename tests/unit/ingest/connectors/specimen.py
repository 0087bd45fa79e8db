"""What the conformance kit needs to know of a network: how its payloads look, written for this project."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from services.ingest.connector import Account


@dataclass(frozen=True, kw_only=True)
class Specimen:
    """Payloads as the network sends them, all about the same post; None where the network has no such thing."""

    network: str
    account: Account = field(default_factory=Account)
    created: Callable[[str], Any]
    """A new post with this text: bytes, or what is written as JSON."""
    edited: Callable[[str], Any] | None
    """The same post with another text, as a later revision."""
    deleted: Any
    """Tells that the same post is gone."""
    own: Any
    """A post that the connected account wrote itself."""
    media_only: Any
    """A post without text that carries media."""
    minimal: Any
    """A post with nothing but what the network always gives."""
    escaped: Callable[[str], str] = str
    """How the network escapes people's text, which `created` is given plain."""
    keeps_markup: bool = False
    """Its text may be changed by more than cleaning, such as quoted lines that are stripped."""
