"""WordPress: a comment on a post."""

from html import escape
from typing import Any

from services.ingest.connector import Account
from tests.unit.ingest.connectors.specimen import Specimen


def comment(text: str = "", **fields: Any) -> dict[str, Any]:
    """A comment as the REST API shows it to everybody."""
    paragraphs = (escape(each).replace("\n", "<br />\n") for each in text.split("\n\n"))
    return {
        "id": 31,
        "post": 12,
        "parent": 0,
        "author": 7,
        "author_name": "Marta",
        "date": "2026-11-22T10:00:00",
        "date_gmt": "2026-11-22T09:00:00",
        "content": {"rendered": "".join(f"<p>{each}</p>\n" for each in paragraphs)},
        "link": "https://lumora.example/2026/new-lamps/#comment-31",
        "status": "approved",
        "type": "comment",
        **fields,
    }


SPECIMEN = Specimen(
    network="wordpress",
    account=Account(id="1", url="https://lumora.example"),
    created=comment,
    edited=None,  # a comment does not tell that it was changed
    deleted={"deleted": True, "previous": comment("Why?")},
    own=comment("We are on it.", author=1),
    media_only={
        "id": 12,
        "type": "post",
        "author": 7,
        "title": {"rendered": ""},
        "content": {"rendered": ""},
        "status": "publish",
        "_embedded": {"wp:featuredmedia": [{"source_url": "https://lumora.example/lamp.jpg", "alt_text": "A lamp"}]},
    },
    minimal=comment("Ciao", author=7, _links={"author": [{"href": "https://lumora.example/wp-json/wp/v2/users/7"}]}),
)
