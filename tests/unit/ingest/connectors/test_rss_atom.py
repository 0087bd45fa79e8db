"""What is special about feeds: many formats, links that lead elsewhere, and documents that mean harm."""

import json
import time
from typing import Any, Final

import pytest

from services.ingest.connector import Account, Ignored, Reason
from services.ingest.connectors._feedguard import why_refused
from services.ingest.connectors._redirects import page_of
from services.ingest.connectors.rss_atom import normalize
from services.ingest.rawpost import RawPost
from tests.unit.ingest.connectors.specimens.rss_atom import feed

RSS: Final = (
    '<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:media="http://search.yahoo.com/mrss/"'
    ' xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"><channel><title>Lamp News</title>'
    "<link>https://lamps.example/</link><language>en-us</language>{}</channel></rss>"
)


def posts(body: bytes, account: Account | None = None) -> list[RawPost]:
    return [each for each in normalize(body, account or Account()) if isinstance(each, RawPost)]


def the_item(item: str) -> RawPost:
    (found,) = posts(RSS.format(f"<item>{item}</item>").encode())
    return found


def the_entry(entry: str) -> RawPost:
    (found,) = posts(feed(f"<entry>{entry}</entry>"))
    return found


@pytest.mark.parametrize(
    ("item", "author", "name"),
    [
        ("<author>marta@lamps.example (Marta)</author>", "marta@lamps.example", "Marta"),
        ("<author>Marta &lt;marta@lamps.example&gt;</author>", "marta@lamps.example", "Marta"),
        ("<dc:creator>Marta</dc:creator>", "Marta", "Marta"),
        ("", "https://lamps.example/", "Lamp News"),
        ("<source url='https://vox.example/'>Vox</source>", "https://vox.example/", "Vox"),
    ],
)
def test_the_author_is_who_is_named_nearest(item: str, author: str, name: str) -> None:
    raw = the_item(f"<title>Lumora</title>{item}")
    assert raw.author
    assert (raw.author.id, raw.author.display_name) == (author, name)


def test_the_author_of_a_feed_wrote_its_entries() -> None:
    (raw,) = posts(feed("<author><name>Marta</name></author><entry><id>1</id><title>A</title></entry>"))
    assert raw.author
    assert raw.author.id == "Marta"


def test_what_an_alert_found_was_written_by_the_site_it_leads_to() -> None:
    raw = the_entry(
        "<id>tag:google.com,2013:googlealerts/feed:7</id><author><name></name></author>"
        '<title type="html">&lt;b&gt;Lumora&lt;/b&gt; glows</title>'
        '<link href="https://www.google.com/url?rct=j&amp;url=https://news.example/a%3Fb&amp;ct=ga"/>'
    )
    assert raw.author
    assert (raw.author.id, raw.permalink, raw.text) == ("news.example", "https://news.example/a?b", "Lumora glows")


@pytest.mark.parametrize(
    ("link", "page"),
    [
        ("https://www.google.co.uk/url?q=https://a.example/&sa=U", "https://a.example/"),
        ("https://alerts.talkwalker.com/r?id=7&url=http%3A%2F%2Fa.example%2Fb", "http://a.example/b"),
        ("https://www.bing.com/news/apiclick.aspx?ref=x&url=https%3a%2f%2fa.example", "https://a.example"),
        ("https://www.google.com/url?url=javascript:alert(1)", None),
        ("https://a.example/url?url=https://b.example/", None),
        ("https://evilgoogle.com/url?url=https://b.example/", None),
        ("https://[/", None),
        (None, None),
    ],
)
def test_wrapped_links_are_unwrapped(link: str | None, page: str | None) -> None:
    assert page_of(link) == page


@pytest.mark.parametrize(
    ("item", "text"),
    [
        ("<title>AT&amp;amp;T</title>", "AT&T"),
        ("<title>A</title><description>&lt;p&gt;One&lt;/p&gt;&lt;p&gt;Two&lt;/p&gt;</description>", "A\n\nOne\n\nTwo"),
        ("<title>My lamp is…</title><description>My lamp is red.</description>", "My lamp is red."),
        ("<title>A</title><comments>https://c.example/</comments><description>Comments</description>", "A"),
        ("<description>Only words</description>", "Only words"),
    ],
)
def test_title_and_body_are_read_as_people_read_them(item: str, text: str) -> None:
    assert the_item(item).text == text


def test_content_goes_before_summary() -> None:
    raw = the_entry('<id>1</id><summary>Short</summary><content type="html">&lt;i&gt;Long&lt;/i&gt;</content>')
    assert raw.text == "Long"


@pytest.mark.parametrize(
    ("times", "change", "revision"),
    [
        ("<published>2026-11-22T09:00:00Z</published><updated>2026-11-22T09:00:00Z</updated>", "created", None),
        ("<published>2026-11-22T09:00:00Z</published><updated>2026-11-22T10:00:00Z</updated>", "edited", 1795341600),
        ("<updated>2026-11-22T10:00:00Z</updated>", "created", None),
        ("<published>2026-11-22T09:00:00Z</published><updated>9999-01-01T00:00:00Z</updated>", "created", None),
    ],
)
def test_an_update_after_publication_is_an_edit(times: str, change: str, revision: int | None) -> None:
    raw = the_entry(f"<id>1</id><title>A</title>{times}")
    assert (raw.change, raw.revision) == (change, revision)


@pytest.mark.parametrize(
    ("item", "parent"),
    [
        ("<guid isPermaLink='false'>https://lamps.example/?p=7#comment-3</guid>", "https://lamps.example/?p=7"),
        (
            "<guid>c3</guid><thr:in-reply-to xmlns:thr='http://purl.org/syndication/thread/1.0' ref='tag:lamps,7'/>",
            "tag:lamps,7",
        ),
    ],
)
def test_a_comment_names_what_it_answers(item: str, parent: str) -> None:
    raw = the_item(f"{item}<title>By: Marta</title><description>It flickers.</description>")
    assert (raw.kind, raw.native_parent_id, raw.text) == ("public_comment", parent, "It flickers.")
    assert raw.language is None  # the site's language is not the commenter's


def test_media_are_named_once_with_their_length() -> None:
    raw = the_item(
        "<title>A</title><enclosure url='https://lamps.example/a.mp3' type='audio/mpeg'/>"
        "<itunes:duration>1:02:03</itunes:duration>"
        "<media:content url='https://lamps.example/a.mp3' type='audio/mpeg'/>"
        "<media:content url='https://lamps.example/a.jpg' medium='image'/>"
        "<media:content url='file:///etc/passwd' medium='image'/>"
    )
    assert {(each.kind, each.url, each.duration_seconds) for each in raw.media} == {
        ("audio", "https://lamps.example/a.mp3", 3723),
        ("image", "https://lamps.example/a.jpg", None),
    }


def test_the_description_of_a_video_keeps_its_lines() -> None:
    raw = the_entry(
        '<id>yt:video:7</id><yt:videoId xmlns:yt="http://www.youtube.com/xml/schemas/2015">7</yt:videoId>'
        '<media:group xmlns:media="http://search.yahoo.com/mrss/"><media:description>A &amp; B\n\nC'
        '</media:description><media:community><media:statistics views="12"/></media:community></media:group>'
    )
    assert (raw.text, raw.views) == ("A & B\n\nC", 12)


@pytest.mark.parametrize(("language", "told"), [("en-us", "en-us"), ("x", None), ("und", None), ("en us; q=1", None)])
def test_the_language_of_a_feed_is_that_of_its_entries(language: str, told: str | None) -> None:
    (raw,) = posts(RSS.format("<item><title>A</title></item>").replace("en-us", language).encode())
    assert raw.language == told


JSON_FEED: Final[dict[str, Any]] = {
    "version": "https://jsonfeed.org/version/1.1",
    "title": "Lamp News",
    "home_page_url": "https://lamps.example/",
    "language": "it",
    "items": [
        {
            "id": 7,
            "url": "https://lamps.example/7",
            "title": "Lumora",
            "content_html": "<p>Bella</p>",
            "date_published": "2026-11-22T10:00:00+01:00",
            "date_modified": "2026-11-22T11:00:00+01:00",
            "authors": [{"name": "Marta", "url": "https://marta.example/"}],
            "attachments": [
                {"url": "https://lamps.example/7.mp3", "mime_type": "audio/mpeg", "duration_in_seconds": 61.5}
            ],
        }
    ],
}


def test_json_feed_is_read_as_the_others() -> None:
    (raw,) = posts(json.dumps(JSON_FEED).encode())
    assert raw.author
    assert (raw.native_id, raw.author.id, raw.text) == ("7", "https://marta.example/", "Lumora\n\nBella")
    assert (raw.change, raw.language, raw.media[0].duration_seconds) == ("edited", "it", 61)


@pytest.mark.parametrize(
    "body",
    [
        b'<!DOCTYPE x [<!ENTITY a "b">]><rss version="2.0"><channel/></rss>',
        '<?xml version="1.0" encoding="utf-16"?><!DOCTYPE x [ ]><rss/>'.encode("utf-16"),
        b'<?xml version="1.0" encoding="utf-7"?><rss version="2.0"/>',
        b"<rss>" + b"<a>" * 100_001,
        b"<rss><author>" + b"a." * 10_000 + b"</author></rss>",
        b"<rss><dc:creator>" + b"<b/>" * 5_000 + b"</dc:creator></rss>",
        b"<html><body>Not found</body></html>",
        b"<?xml version='1.0' encoding='utf-8\xc3'?><rss version='2.0'/>",
        b"<rss version='2.0'><channel><image></height></image></channel></rss>",
        b"x" * 5_000_001,
    ],
    ids=range(10),
)
def test_a_document_that_means_harm_or_is_no_feed_is_not_read(body: bytes) -> None:
    start = time.process_time()
    (outcome,) = normalize(body, Account())
    assert isinstance(outcome, Ignored)
    assert outcome.reason is Reason.MALFORMED
    assert time.process_time() - start < 1


@pytest.mark.parametrize(
    "body",
    [
        b'<!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN" "http://x.example/rss.dtd"><rss/>',
        b"<feed><author/><author rdf:resource='x'></author></feed>",
        b'<?xml version="1.0" encoding="ISO-8859-15"?><rss/>',
        b'<feed><author  a="b" /></feed>',
    ],
)
def test_what_old_feeds_have_is_no_harm(body: bytes) -> None:
    assert why_refused(body) is None


def test_a_feed_names_no_place_to_fetch(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Any] = []
    monkeypatch.setattr("builtins.open", lambda *given, **_: opened.append(given))
    monkeypatch.setattr("urllib.request.urlopen", lambda *given, **_: opened.append(given))
    for body in (b"https://lamps.example/feed.xml", b"/etc/passwd", b"<rss", b"file:///etc/passwd"):
        normalize(body, Account())
    assert opened == []
