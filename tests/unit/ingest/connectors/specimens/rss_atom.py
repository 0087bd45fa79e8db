"""RSS, Atom and alerts: an Atom feed with one entry."""

from xml.sax.saxutils import escape

from services.ingest.connector import Account
from tests.unit.ingest.connectors.specimen import Specimen

_FEED = (
    '<?xml version="1.0" encoding="utf-8"?><feed xmlns="http://www.w3.org/2005/Atom"><title>Lamp News</title>{}</feed>'
)
_ENTRY = (
    "<entry><id>tag:lamps.example,2026:7</id><title/>"
    '<link href="https://lamps.example/7"/><published>2026-11-22T09:00:00Z</published><updated>{updated}</updated>'
    "<author><name>{author}</name></author>{content}</entry>"
)


def feed(entries: str) -> bytes:
    """An Atom feed of these entries."""
    return _FEED.format(entries).encode()


def _entry(content: str, updated: str = "2026-11-22T09:00:00Z", author: str = "Marta Rossi") -> bytes:
    return feed(_ENTRY.format(content=content, updated=updated, author=author))


def _content(text: str) -> str:
    return f'<content type="text">{escape(text)}</content>'


SPECIMEN = Specimen(
    network="rss_atom",
    account=Account(id="Lumora"),
    created=lambda text: _entry(_content(text)),
    edited=lambda text: _entry(_content(text), updated="2026-11-22T10:00:00Z"),
    deleted=feed(
        '<at:deleted-entry xmlns:at="http://purl.org/atompub/tombstones/1.0" ref="tag:lamps.example,2026:7"'
        ' when="2026-11-22T11:00:00Z"/>'
    ),
    own=_entry(_content("A new lamp."), author="Lumora"),
    media_only=_entry('<link rel="enclosure" type="audio/mpeg" href="https://lamps.example/7.mp3"/>'),
    minimal=b"<rss version='2.0'><channel><title>Lamp News</title><item><title>Lumora</title></item></channel></rss>",
)
