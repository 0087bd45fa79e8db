"""LinkedIn's names of posts, comments and people, of which one thing may have two spellings."""

import re
from typing import Any, Final
from urllib.parse import quote

from services.ingest.payload import Node

_COMMENT: Final = re.compile(r"urn:li:comment:\((?:urn:li:)?([A-Za-z]+:[^,()\s]+),\s*([^,()\s]+)\)")


def normalized(urn: Node) -> str | None:
    """One spelling: a comment's post is written in full."""
    text = urn.id()
    match = _COMMENT.fullmatch(text) if text else None
    return f"urn:li:comment:(urn:li:{match[1]},{match[2]})" if match else text


def post_of(comment: str | None) -> str | None:
    """The post in the name of a comment."""
    match = _COMMENT.fullmatch(comment) if comment else None
    return f"urn:li:{match[1]}" if match else None


def permalink(urn: str | None) -> str | None:
    """The address of a post, or of a comment under it."""
    match = _COMMENT.fullmatch(urn) if urn else None
    if match:
        comment = quote(f"urn:li:comment:({match[1]},{match[2]})", safe="")
        return f"https://www.linkedin.com/feed/update/urn:li:{match[1]}?commentUrn={comment}"
    return f"https://www.linkedin.com/feed/update/{urn}" if urn and urn.startswith("urn:li:") else None


def is_own(author: str | None, account_id: str) -> bool:
    """Whether the account is the author: an organization, by its URN or its number alone."""
    return bool(author and account_id) and author in {account_id, f"urn:li:organization:{account_id}"}


def author_of(urn: str | None, decorated: Node) -> dict[str, Any]:
    """Who wrote it: LinkedIn gives names only where the reader asks for the decoration."""
    names = (decorated["localizedFirstName"].text(), decorated["localizedLastName"].text())
    return {
        "id": urn,
        "handle": decorated["vanityName"].text(),
        "display_name": decorated["localizedName"].text() or " ".join(name for name in names if name) or None,
    }


def words_of(message: Node) -> str | None:
    """The text of a message, which is one or holds it."""
    return message.text() or message["text"].text()
