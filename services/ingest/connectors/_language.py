"""Languages as networks name them, of which some name none."""

import re
from typing import Final

from services.ingest.payload import Node

_TAG: Final = re.compile(r"[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8})*")
_NAMES_NONE: Final = frozenset({"und", "zxx", "mul"})
_MAX_CHARACTERS: Final = 64


def language(place: Node) -> str | None:
    """A language tag that names one language; anything else is absent."""
    tag = (place.text() or "").strip()
    if len(tag) > _MAX_CHARACTERS or tag.lower() in _NAMES_NONE or not _TAG.fullmatch(tag):
        return None
    return tag
