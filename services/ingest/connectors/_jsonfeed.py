"""JSON Feed, versions 1 and 1.1 (https://www.jsonfeed.org/version/1.1/)."""

from collections.abc import Iterator

from services.ingest.connectors._feed import Attachment, Entry, Feed, Writer, media_kind, time, url
from services.ingest.connectors._language import language
from services.ingest.markup import html_to_text
from services.ingest.payload import Node
from services.ingest.text import clean_line


def read_json_feed(document: Node) -> Feed | None:
    """Read a feed; None where it is none."""
    if "jsonfeed.org" not in (document["version"].text() or "") or not document["items"].is_list():
        return None
    name = clean_line(document["title"].text() or "")
    known_by = url(document["home_page_url"].text()) or url(document["feed_url"].text()) or name
    told = language(document["language"])
    return Feed(
        writer=_writer(document) or (Writer(known_by, name) if known_by else None),
        entries=tuple(_entry(each, told) for each in document["items"]),
    )


def _entry(item: Node, feed_language: str | None) -> Entry:
    html = item["content_html"].text()
    return Entry(
        id=item["id"].id(),
        link=url(item["url"].text()) or url(item["external_url"].text()),
        title=clean_line(item["title"].text() or ""),
        body=html_to_text(html) if html else item["content_text"].text() or item["summary"].text() or "",
        writer=_writer(item),
        published_at=time(item["date_published"].text()),
        updated_at=time(item["date_modified"].text()),
        language=language(item["language"]) or feed_language,
        attachments=tuple(_attachments(item)),
    )


def _writer(place: Node) -> Writer | None:
    """The first author; version 1 has one alone."""
    for author in (*place["authors"], place["author"]):
        name = clean_line(author["name"].text() or "")
        known_by = url(author["url"].text()) or name
        if known_by:
            return Writer(known_by, name)
    return None


def _attachments(item: Node) -> Iterator[Attachment]:
    if image := url(item["image"].text() or item["banner_image"].text()):
        yield Attachment(image, "image")
    for each in item["attachments"]:
        if address := url(each["url"].text()):
            seconds = each["duration_in_seconds"].number()
            length = int(seconds) if seconds is not None and 0 <= seconds < 2**31 else None
            yield Attachment(address, media_kind(each["mime_type"].text()), length, each["title"].text())
