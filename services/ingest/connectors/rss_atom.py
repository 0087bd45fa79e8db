"""Feeds: RSS, RDF, Atom and JSON Feed, of sites, of video channels, and of alert services."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from services.ingest.connector import (
    MALFORMED,
    Account,
    Capabilities,
    Connector,
    Ignored,
    Outcome,
    Reason,
    all_of,
    partly,
    post,
    titled,
    yes,
)
from services.ingest.connectors._feed import Attachment, Entry, Feed, Writer, host
from services.ingest.connectors._feedguard import why_refused
from services.ingest.connectors._feedxml import read_xml
from services.ingest.connectors._ids import digest, identifier
from services.ingest.connectors._jsonfeed import read_json_feed
from services.ingest.connectors._redirects import page_of
from services.ingest.connectors._reviews import edition
from services.ingest.payload import read_json

NETWORK: Final = "rss_atom"

_MAX_NAME_CHARACTERS: Final = 512


def normalize(body: bytes, account: Account) -> list[Outcome]:
    """Read a feed of any format."""
    refused = why_refused(body)
    if refused:
        return [Ignored(Reason.MALFORMED, refused)]
    start = body.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    document = read_json(body) if start == b"{" else None
    feed = read_json_feed(document) if document else read_xml(body) if start in {b"<", b"\xfe", b"\xff"} else None
    if feed is None:
        return [MALFORMED]
    return all_of([*_deletions(feed), *(_post(each, feed, account) for each in feed.entries)])


def _deletions(feed: Feed) -> Iterator[Outcome]:
    for each in feed.deleted:
        yield post(network=NETWORK, kind="public_post", change="deleted", native_id=identifier(each))


def _post(entry: Entry, feed: Feed, account: Account) -> Outcome:
    page = page_of(entry.link)
    link = page or entry.link
    text = _text(entry)
    told = link or text
    native_id = identifier(entry.id) or (digest(told) if told else None)
    answers = identifier(entry.answers)
    writer = _writer(entry, feed, page, account)
    return post(
        network=NETWORK,
        kind="public_comment" if answers else "public_post",
        native_id=native_id,
        native_parent_id=answers,
        own=bool(account.id) and writer is not None and account.id in writer,
        author={"id": identifier(writer.id), "display_name": writer.name[:_MAX_NAME_CHARACTERS] or None}
        if writer
        else None,
        text=text,
        language=entry.language,
        create_time=entry.published_at or entry.updated_at,
        permalink=link,
        views=entry.views if entry.views is not None and entry.views >= 0 else None,
        media=list(_media(entry.attachments)),
        **edition(entry.published_at, entry.updated_at),
    )


def _text(entry: Entry) -> str | None:
    """Title and body; a comment's title is its software's, and some titles are but the beginning of the body."""
    beginning = entry.title.rstrip(" .\u2026")
    if entry.body and (entry.answers or " ".join(entry.body[: len(entry.title) * 2].split()).startswith(beginning)):
        return entry.body
    return titled(entry.title, entry.body)


def _writer(entry: Entry, feed: Feed, page: str | None, account: Account) -> Writer | None:
    """Who is named nearest to the entry; what an alert found was written by the site that it leads to."""
    found_on = host(page)
    if entry.writer or found_on:
        return entry.writer or Writer(found_on or "", found_on or "")
    return feed.writer or (Writer(account.url) if account.url else None)


def _media(attachments: Iterable[Attachment]) -> Iterator[dict[str, Any]]:
    for each in attachments:
        yield {"kind": each.kind, "url": each.url, "alt_text": each.alt_text, "duration_seconds": each.duration_seconds}


CONNECTOR: Final = Connector(
    network=NETWORK,
    title="RSS, Atom and alerts",
    transports=("poll",),
    normalize=normalize,
    capabilities=Capabilities(
        edits=partly("Atom and JSON Feed tell when an entry was updated; RSS does not"),
        deletes=partly("Atom tombstones (RFC 6721), which YouTube sends; an entry that leaves other feeds is only old"),
        threads=partly("comment feeds that name what is answered (RFC 4685) or come from WordPress"),
        own_posts=partly("an author whose address, e-mail or name is `account`"),
        media=yes("enclosures, Media RSS and attachments, with their addresses"),
        language=partly("xml:lang, and the language of the feed for its own entries"),
        permalinks=yes("the page itself: redirects of Google, Talkwalker and Bing alerts are unwrapped"),
        reply=partly("by hand on the page: a feed takes no replies"),
        limits="no push: as often as the feed's ttl, Cache-Control and Retry-After allow; 5 MB a feed",
        proven=(
            "Atom of blogs, YouTube uploads and Google Alerts",
            "RSS without guid (Hacker News), permalinks",
            "xml:lang, an entry with an id alone",
        ),
        unproven=("Talkwalker Alerts", "JSON Feed", "comment feeds", "tombstones", "podcasts"),
    ),
)
