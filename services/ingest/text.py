"""People's text in one form: NFC, no control characters, no white space around it."""

import re
import unicodedata
from typing import Final

_LINE_ENDS: Final = re.compile(r"\r\n?|\x85|\u2028|\u2029")
# C0 and C1 but for tab and line feed, which people do write.
_CONTROLS: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")


def clean(text: str) -> str:
    """Clean what may hold several lines."""
    return _plain(text).strip()


def clean_line(text: str) -> str:
    """Clean what is a name: all white space becomes single spaces."""
    return " ".join(clean(text).split())


def place_in_clean(text: str, offset: int) -> int:
    """Where a place in a text lies in `clean(text)`, in code points of each; at its end where it was cut off."""
    before = _plain(text[:offset])
    cut = len(before) - len(before.lstrip()) if before.strip() else len(before)
    return min(len(before) - cut, len(clean(text)))


def _plain(text: str) -> str:
    if not text.isprintable():
        text = _CONTROLS.sub("", _LINE_ENDS.sub("\n", text))
    return unicodedata.normalize("NFC", text)
