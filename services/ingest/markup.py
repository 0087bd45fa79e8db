"""The text in a network's markup, as a reader sees it."""

import html
import re
from typing import Final

from inscriptis import get_text
from inscriptis.css_profiles import CSS_PROFILES
from inscriptis.model.config import ParserConfig
from lxml.etree import LxmlError

MAX_MARKUP_CHARACTERS: Final = 150_000

# "strict" puts no space around inline elements: "@<span>bob</span>" is one word.
_CONFIG: Final = ParserConfig(css=CSS_PROFILES["strict"])
_TAG: Final = re.compile(r"<[^<>]{0,10000}>")
_MARKUP: Final = re.compile(r"[<&]")
_EMPTY_LINES: Final = re.compile(r"\n\s*\n\s*\n")


def html_to_text(markup: str) -> str:
    """Read HTML, whole or a part, well formed or not: blocks become lines, scripts and styles nothing."""
    markup = markup[:MAX_MARKUP_CHARACTERS]
    if not _MARKUP.search(markup):
        return markup.strip()
    return _EMPTY_LINES.sub("\n\n", _rendered(markup) or _without_tags(markup)).strip()


def _rendered(markup: str) -> str:
    try:
        return str(get_text(markup, _CONFIG))
    except (LxmlError, ValueError, RecursionError, AssertionError):
        return ""


def _without_tags(markup: str) -> str:
    """What is left where a parser finds nothing, such as below a thousand nested elements."""
    return html.unescape(_TAG.sub("", markup))
