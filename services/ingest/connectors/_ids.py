"""Identifiers that keep to the rules of ours whatever a sender writes."""

import hashlib
import re
from typing import Final

_MAX_CHARACTERS: Final = 400
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def identifier(text: str | None) -> str | None:
    """An id as it is given; one that is too long, or holds control characters, by its digest."""
    given = (text or "").strip()
    if len(given) > _MAX_CHARACTERS or _CONTROL.search(given):
        return digest(given)
    return given or None


def digest(text: str) -> str:
    """What stands for something that has no id of its own."""
    return f"sha256:{hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()}"
