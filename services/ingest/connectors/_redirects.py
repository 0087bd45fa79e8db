"""Links that alert services wrap around the page they found."""

import re
from typing import Final
from urllib.parse import parse_qs, urlsplit

from services.ingest.connectors._feed import url

# Which parameter of which site holds the page.
_WRAPPERS: Final[tuple[tuple[re.Pattern[str], tuple[str, ...]], ...]] = (
    (re.compile(r"(www\.)?google(\.[a-z]{2,3}){1,2}/url"), ("url", "q")),
    (re.compile(r"([a-z]+\.)?talkwalker\.com/.*"), ("url", "u")),
    (re.compile(r"(www\.)?bing\.com/news/apiclick\.aspx"), ("url",)),
    (re.compile(r"l\.facebook\.com/l\.php"), ("u",)),
)
_MOST_PARAMETERS: Final = 50


def page_of(link: str | None) -> str | None:
    """The page behind a wrapped link; None where the link is a page's own."""
    try:
        parts = urlsplit(link or "")
        names = next((names for site, names in _WRAPPERS if site.fullmatch(parts.netloc.lower() + parts.path)), ())
        parameters = parse_qs(parts.query, max_num_fields=_MOST_PARAMETERS) if names else {}
    except ValueError:
        return None
    return next((page for name in names for page in map(url, parameters.get(name, ())) if page), None)
