"""WordPress: comments and posts of its REST API, of WordPress.com, and as plugins send them; WooCommerce's reviews.

An id is the address of the object in the REST API, without its scheme: "lumora.example/wp-json/wp/v2/comments/7".
"""

import re
from collections.abc import Iterator
from datetime import datetime
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
    no,
    partly,
    post,
    titled,
    yes,
)
from services.ingest.connectors._feed import host, time, url
from services.ingest.connectors._ids import identifier
from services.ingest.connectors._reviews import edition, stars
from services.ingest.markup import html_to_text
from services.ingest.payload import ABSENT, Node, read_json
from services.ingest.text import clean_line

NETWORK: Final = "wordpress"

_SCHEME: Final = re.compile(r"https?://", re.IGNORECASE)
_ZONE: Final = re.compile(r"(?:Z|[+-]\d\d:?\d\d)\Z")
_LIVE: Final = frozenset({"", "approved", "approve", "1", "publish"})
_GONE: Final = frozenset({"trash", "spam", "deleted", "post-trashed"})
_MACHINES: Final = frozenset({"pingback", "trackback"})
_MAX_NAME_CHARACTERS: Final = 512


def normalize(body: bytes, account: Account) -> list[Outcome]:
    """Read one object or a list of them, or the answer to a deletion."""
    document = read_json(body)
    if document is None or not (document.is_object() or document.is_list()):
        return [MALFORMED]
    return all_of(
        _object(each, account) for each in (document if document.is_list() else _inside(document)) if each.is_object()
    )


def _inside(document: Node) -> Iterator[Node]:
    """WordPress.com wraps its lists, and `_envelope` every answer."""
    for name in ("comments", "posts", "body", "comment"):
        inner = document[name]
        if inner.is_list() or (inner.is_object() and "content" in inner):
            yield from inner if inner.is_list() else [inner]
            return
    yield document


def _object(item: Node, account: Account) -> Outcome:
    if item["deleted"].flag() and item["previous"].is_object():
        return _gone(item["previous"], account)
    if item["code"].text() and item["message"].text():
        return Ignored(Reason.NO_POST, f"an error of the REST API: {item['code'].text()}")
    if "product_id" in item and "review" in item:
        return _review(item, account)
    if _first(item, "post", "comment_post_ID"):
        return _comment(item, account)
    if "content" in item and "title" in item:
        return _article(item, account)
    return Ignored(Reason.NO_POST, "neither a comment nor a post")


def _comment(item: Node, account: Account) -> Outcome:
    status = _status(item)
    if status in _GONE:
        return _gone(item, account)
    if status not in _LIVE:
        return Ignored(Reason.NO_POST, f"a comment that is not public: {status}")
    if (_first(item, "type", "comment_type").text() or "") in _MACHINES:
        return Ignored(Reason.AUTOMATIC, "a pingback or trackback")
    article = _first(item, "post", "comment_post_ID")
    thread = _id_of("posts", article["ID"].id() or article.id(), item, account)
    return post(
        network=NETWORK,
        kind="public_comment",
        native_id=_own_id("comments", item, account),
        native_thread_id=thread,
        native_parent_id=_id_of("comments", _parent(item), item, account),
        text=_text(_first(item, "content", "comment_content")),
        **_written(item, account),
    )


def _article(item: Node, account: Account) -> Outcome:
    """A post or page: the site is the brand's, so that what it publishes is its own."""
    status = _status(item)
    if status in _GONE:
        return _gone(item, account)
    if status not in _LIVE:
        return Ignored(Reason.NO_POST, f"a post that is not public: {status}")
    written = _written(item, account)
    modified = item["modified"].text() or ""
    changed_at = time(item["modified_gmt"].text()) or (time(modified) if _ZONE.search(modified) else None)
    title, text = _text(item["title"]), _text(item["content"]) or _text(item["excerpt"])
    return post(
        network=NETWORK,
        kind="public_post",
        native_id=_own_id("posts", item, account),
        text=titled(title, text),
        media=list(_media(item)),
        **{**written, "own": True, **edition(written["create_time"], changed_at)},
    )


def _review(item: Node, account: Account) -> Outcome:
    if _status(item) in _GONE:
        return _gone(item, account)
    if _status(item) not in _LIVE:
        return Ignored(Reason.NO_POST, "a review that is not public")
    product = _id_of("posts", item["product_id"].id(), item, account)
    return post(
        network=NETWORK,
        kind="review",
        native_id=_own_id("comments", item, account),
        native_thread_id=_own_id("comments", item, account),
        native_parent_id=product,
        text=_text(item["review"]),
        rating=stars(item["rating"]),
        **_written(item, account),
    )


def _gone(item: Node, account: Account) -> Outcome:
    is_article = "title" in item and "post" not in item
    family, kind = ("posts", "public_post") if is_article else ("comments", "public_comment")
    return post(network=NETWORK, kind=kind, change="deleted", native_id=_own_id(family, item, account))


def _written(item: Node, account: Account) -> dict[str, Any]:
    """Who, when and where: the same of all that is written on a site."""
    member = _member(item)
    return {
        "author": _author(item, member, account),
        "own": bool(account.id and member) and account.id == member,
        "create_time": _time(item),
        "permalink": url(_first(item, "link", "permalink", "URL", "comment_link").text()),
    }


def _author(item: Node, member: str | None, account: Account) -> dict[str, Any] | None:
    """A member by number; a guest by e-mail where it is shown, else by name. A guest may take any name."""
    embedded = item.at("_embedded", "author", 0)
    inline = item["author"] if item["author"].is_object() else ABSENT
    names = (item["author_name"], item["comment_author"], item["reviewer"], inline["name"], embedded["name"])
    name = clean_line(html_to_text(next((each.text() or "" for each in names if each.text()), "")))
    emails = (item["author_email"], item["comment_author_email"], item["reviewer_email"], inline["email"])
    email = next((each.text() or "" for each in emails if each.text()), "").strip().lower()
    known_by = _id_of("users", member, item, account) or identifier(email or (f"guest:{name}" if name else None))
    handle = inline["login"].text() or embedded["slug"].text()
    return {"id": known_by, "handle": handle, "display_name": name[:_MAX_NAME_CHARACTERS] or None}


def _member(item: Node) -> str | None:
    author = item["author"]
    number = author["ID"].id() or author.id() or item["user_id"].id()
    return number if number and number != "0" else None


def _parent(item: Node) -> str | None:
    parent = _first(item, "parent", "comment_parent")
    number = parent["ID"].id() or parent.id()
    return number if number != "0" else None


def _status(item: Node) -> str:
    return (_first(item, "status", "comment_approved").id() or "").lower()


def _text(place: Node) -> str | None:
    """HTML as the site renders it; what edit contexts add in `raw` is the same unrendered."""
    return html_to_text(place["rendered"].text() or place["raw"].text() or place.text() or "") or None


def _time(item: Node) -> datetime | None:
    """The time in UTC; the other one is the site's own, which only WordPress.com gives with its zone."""
    in_utc = time(_first(item, "date_gmt", "comment_date_gmt", "date_created_gmt").text())
    local = item["date"].text() or ""
    return in_utc or (time(local) if _ZONE.search(local) else None)


def _media(item: Node) -> Iterator[dict[str, Any]]:
    featured = item.at("_embedded", "wp:featuredmedia", 0)
    address = url(featured["source_url"].text()) or url(item["jetpack_featured_media_url"].text())
    if address := address or url(item["featured_image"].text()):
        yield {"kind": "image", "url": address, "alt_text": featured["alt_text"].text()}


def _own_id(family: str, item: Node, account: Account) -> str | None:
    return _id_of(family, _first(item, "id", "ID", "comment_ID", "comment_id").id(), item, account)


def _id_of(family: str, number: str | None, item: Node, account: Account) -> str | None:
    if not number:
        return None
    links = (item["link"], item["permalink"], item["URL"], item.at("_links", "self", 0, "href"))
    site = _SCHEME.sub("", account.url.rstrip("/")) or next(filter(None, (host(each.text()) for each in links)), "")
    return identifier(f"{site}/wp-json/wp/v2/{family}/{number}")


def _first(item: Node, *names: str) -> Node:
    return next((item[name] for name in names if name in item), ABSENT)


CONNECTOR: Final = Connector(
    network=NETWORK,
    title="WordPress",
    transports=("poll", "webhook"),
    normalize=normalize,
    capabilities=Capabilities(
        edits=partly("posts tell when they were modified; comments do not"),
        deletes=partly("trash and spam where they are asked for by status; else a comment that is no longer there"),
        threads=yes("the post is the thread; `parent` is the comment that is answered"),
        own_posts=yes("posts of the site; comments whose author is the user number in `account`"),
        media=partly("the featured image of a post, where it is embedded; comments have text alone"),
        language=no("the site's language is told nowhere beside a comment"),
        permalinks=yes("`link`"),
        reply=yes("POST /wp/v2/comments with `parent`, by an application password"),
        limits="100 comments a page; new comments less than 15 s apart from one address are refused",
        proven=("a reply of a guest in Chinese", "a comment of a member in the view context"),
        unproven=("posts", "WordPress.com v1.1", "comments as plugins send them", "WooCommerce reviews"),
    ),
)
