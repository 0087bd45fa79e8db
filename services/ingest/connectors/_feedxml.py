"""RSS of every version, RDF and Atom, read by feedparser from bytes alone: it never opens anything."""

import html
import io
import re
from collections.abc import Iterator
from typing import Final

import feedparser
from lxml import etree

from services.ingest.connectors._feed import Attachment, Entry, Feed, Writer, media_kind, time, url
from services.ingest.connectors._language import language
from services.ingest.markup import html_to_text
from services.ingest.payload import Node
from services.ingest.text import clean_line

_DELETED: Final = "{http://purl.org/atompub/tombstones/1.0}deleted-entry"
_COMMENT: Final = re.compile(r"(.+)#comment-\d+")
_EMAIL: Final = re.compile(r"[^\s<>()@\"]{1,64}@[^\s<>()@\"]{1,255}")
_LENGTH: Final = re.compile(r"(?:(?:(\d{1,4}):)?(\d{1,6}):)?(\d{1,8})(?:\.\d{1,9})?")


def read_xml(body: bytes) -> Feed | None:
    """Read a feed that `why_refused` has nothing against; None where it is none."""
    try:
        # Text and bytes could name a place to fetch, which a stream cannot.
        read = feedparser.parse(io.BytesIO(body), sanitize_html=False, resolve_relative_uris=False)
    except (ValueError, LookupError, TypeError, AttributeError, AssertionError, RecursionError):
        return None  # feedparser trips over some broken encodings, numbers and elements that end before they begin
    version, feed = str(read.get("version") or ""), Node(read.get("feed"))
    deleted = tuple(_deleted(body))
    if not version and not deleted:
        return None
    entries = tuple(_entry(each, feed, rss=version.startswith("rss")) for each in Node(read.get("entries")))
    return Feed(writer=_writer(feed) or _itself(feed), entries=entries, deleted=deleted)


def _entry(entry: Node, feed: Node, *, rss: bool) -> Entry:
    link = url(entry["link"].value)
    answers = _answers(entry, entry["id"].text() or link or "")
    content = _content(entry)
    told, of_feed = language(content["language"] or entry["title_detail"]["language"]), language(feed["language"])
    return Entry(
        id=entry["id"].text(),
        link=link,
        title=_title(entry, rss=rss),
        body=_body(entry, content),
        writer=_writer(entry) or _source(entry),
        published_at=time(entry["published"].value),
        # feedparser says the time of publication where an entry tells no update, but for this way of asking.
        updated_at=time(dict.get(entry.value, "updated")) if entry.is_object() else None,
        # The language of a site is not that of those who comment on it.
        language=(told if told != of_feed else None) if answers else told or of_feed,
        attachments=tuple(_attachments(entry)),
        views=entry["media_statistics"]["views"].integer(),
        answers=answers,
    )


def _title(entry: Node, *, rss: bool) -> str:
    title = entry["title"].text() or ""
    if "html" in (entry["title_detail"]["type"].text() or ""):
        title = html_to_text(title)
    # RSS does not say whether a title is escaped once or twice: both are common.
    return clean_line(html.unescape(title) if rss else title)


def _content(entry: Node) -> Node:
    """The content, else the summary, with its type and language."""
    contents = (each for each in entry["content"] if (each["value"].text() or "").strip())
    return next(contents, entry["summary_detail"])


def _body(entry: Node, content: Node) -> str:
    value = (content["value"].text() or entry["summary"].text() or "").strip()
    # YouTube describes in plain text, which feedparser takes for HTML.
    is_plain = content["type"].text() == "text/plain" or "yt_videoid" in entry
    text = value if is_plain else html_to_text(value)
    # Link lists such as Hacker News have no words of their own here, only a link to where others comment.
    return "" if text == "Comments" and entry["comments"] else text


def _answers(entry: Node, identity: str) -> str | None:
    """RFC 4685 names the entry that is answered; WordPress names a comment after its post."""
    comment = _COMMENT.fullmatch(identity)
    return entry["thr_in-reply-to"]["ref"].id() or (comment[1] if comment else None)


def _writer(place: Node) -> Writer | None:
    """RSS writes "address (name)" in one, which feedparser takes apart at addresses of four-letter domains at most."""
    detail = place["authors"][0] or place["author_detail"]
    said = place["author"].text() or detail["name"].text() or ""
    email = _EMAIL.search(said)
    name = clean_line(_EMAIL.sub(" ", said).strip(' ()<>"') if email else said)
    known_by = url(detail["href"].value) or (email[0].lower() if email else name)
    return Writer(known_by, name) if known_by else None


def _source(entry: Node) -> Writer | None:
    """Where an entry was taken over from."""
    source = entry["source"]
    name = clean_line(source["title"].text() or "")
    known_by = source["id"].id() or url(source["href"].value) or url(source["link"].value) or name
    return _writer(source) or (Writer(known_by, name) if known_by else None)


def _itself(feed: Node) -> Writer | None:
    name = clean_line(feed["title"].text() or "")
    links = (url(each["href"].value) for each in feed["links"])
    known_by = feed["id"].id() or url(feed["link"].value) or next(filter(None, links), None) or name
    return Writer(known_by, name) if known_by else None


def _attachments(entry: Node) -> Iterator[Attachment]:
    """Enclosures and Media RSS, each address once; a thumbnail only where there is nothing that it is of."""
    enclosures = [(each, entry["itunes_duration"]) for each in entry["links"] if each["rel"].text() == "enclosure"]
    contents = [(each, each["duration"]) for each in entry["media_content"]]
    files = {url((each["href"] or each["url"]).value): (each, length) for each, length in (*contents, *enclosures)}
    for address, (each, length) in files.items():
        if address:
            yield Attachment(address, media_kind(each["type"].value, each["medium"].value), _seconds(length))
    if not files:
        images = (url(each["url"].value) for each in entry["media_thumbnail"])
        yield from (Attachment(each, "image") for each in images if each)


def _seconds(length: Node) -> int | None:
    match = _LENGTH.fullmatch((length.id() or "").strip())
    if match is None:
        return None
    hours, minutes, seconds = (int(each or 0) for each in match.groups())
    return hours * 3600 + minutes * 60 + seconds


def _deleted(body: bytes) -> Iterator[str]:
    """The tombstones of RFC 6721, which feedparser does not know; YouTube sends them for videos."""
    if b"deleted-entry" not in body:
        return
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, recover=True)
    try:
        root = etree.fromstring(body.strip(), parser)
    except (etree.LxmlError, ValueError):
        return
    if root is not None:
        yield from (each.get("ref", "").strip() for each in root.iter(_DELETED))
