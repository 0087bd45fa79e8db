"""Reddit: listings of comments, submissions and messages, single things, modmail, and answers of the API.

Texts are Markdown, as people typed them: Reddit's own pages are the only reader that renders it alike.
"""

import html
import re
from collections.abc import Iterator
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
from services.ingest.connectors._json_lines import read_documents
from services.ingest.connectors._reddit_media import SITE, media_of
from services.ingest.connectors._reddit_modmail import modmail
from services.ingest.payload import Node

NETWORK: Final = "reddit"
_KINDS: Final = {"t1": "public_comment", "t3": "public_post", "t4": "direct_message"}
_GONE: Final = frozenset(
    {"[deleted]", "[removed]", "[ Removed by Reddit ]", "[deleted by user]", "[removed by reddit]"}
)
_NOBODY: Final = "[deleted]"
# Without raw_json=1, Reddit escapes these three characters in everything that it answers: a bare one proves the other.
_UNESCAPED: Final = re.compile(rb"[<>]|\\u003[ceCE]|(?:&|\\u0026)(?!(?:amp|lt|gt);)")
_ENTITY: Final = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z]{2,8});")
_SUBMISSION: Final = re.compile(r"/comments/([0-9a-z]+)/")


def normalize(body: bytes, account: Account) -> list[Outcome]:
    """Read what the API answers, with or without raw_json, or things one a line."""
    documents = read_documents(body if _UNESCAPED.search(body) else _unescaped(body))
    if documents is None:
        return [MALFORMED]
    return all_of(outcome for each in documents for outcome in _document(each, account))


def _document(document: Node, account: Account) -> Iterator[Outcome]:
    if document["messages"].is_object():
        return modmail(document, account)
    return (_thing(each, account) for each in _things(document))


def _unescaped(body: bytes) -> bytes:
    return body.replace(b"&lt;", b"<").replace(b"&gt;", b">").replace(b"&amp;", b"&")


def _things(document: Node) -> Iterator[Node]:
    """Every thing of an answer in its order, replies after what they answer, as deep as they go."""
    open_ = [document]
    while open_:
        node = open_.pop()
        inner = _inside(node)
        if inner is None:
            yield node
            inner = node["data"]["replies"]["data"]["children"]
        open_ += reversed(list(inner))


def _inside(node: Node) -> Node | None:
    """What a list, a listing or an answer holds; None of a thing."""
    if node.is_list():
        return node
    children, things = node["data"]["children"], node.at("json", "data", "things")
    if children.is_list() and node["kind"].text() in {"Listing", None}:
        return children
    return things if things.is_list() else None


def _thing(thing: Node, account: Account) -> Outcome:
    kind, data = thing["kind"].text(), thing["data"]
    if not kind:
        kind, data = _kind_of(thing), thing
    if kind == "more":
        return Ignored(Reason.IDS_ONLY, "comments that must be asked for")
    if kind not in _KINDS:
        return Ignored(Reason.NO_POST, _no_thing(thing, kind))
    name = data["name"].id() or (f"{kind}_{data['id'].id()}" if data["id"].id() else None)
    if _is_gone(data):
        thread = _thread(kind, data)
        return post(network=NETWORK, kind=_KINDS[kind], change="deleted", native_id=name, native_thread_id=thread)
    return _post(kind, name, data, account)


def _post(kind: str, name: str | None, data: Node, account: Account) -> Outcome:
    edited = data["edited"].value
    path = data["permalink"].text() or data["context"].text()
    return post(
        network=NETWORK,
        kind=_KINDS[kind],
        change="edited" if edited else "created",
        revision=data["edited"].integer() if edited else None,
        native_id=name,
        native_parent_id=data["parent_id"].id(),
        native_thread_id=_thread(kind, data),
        own=_is_own(data, account),
        author=_author(kind, data),
        text=_text(kind, data),
        create_time=data["created_utc"].seconds(),
        permalink=SITE + path.partition("?")[0] if path and path.startswith("/") else path,
        views=data["view_count"].integer(),
        media=list(media_of(data)),
    )


def _kind_of(data: Node) -> str | None:
    """A thing without its envelope, as libraries and archives keep it."""
    prefix = (data["name"].text() or "").partition("_")[0]
    if prefix in _KINDS:
        return prefix
    if "body" in data and data["parent_id"].id():
        return "t1"
    return "t3" if "title" in data and "selftext" in data else None


def _no_thing(thing: Node, kind: str | None) -> str:
    if kind:
        return f"a thing of {kind}"
    if errors := thing.at("json", "errors"):
        return f"an error of the API: {errors.at(0, 0).text()}"
    return "an error of the API" if thing["error"] else "an answer that holds no things"


def _is_gone(data: Node) -> bool:
    """Reddit puts a mark in place of the words; somebody who writes the mark says nothing else either."""
    words = data["body"].text() or data["selftext"].text() or data["title"].text() or ""
    return bool(data["removed_by_category"].text()) or words.strip() in _GONE or data["title"].text() in _GONE


def _thread(kind: str, data: Node) -> str | None:
    """The submission, which an inbox tells in an address alone; of messages, the first one."""
    if kind == "t4":
        return data["first_message_name"].id()
    if kind == "t3":
        return None
    parent = data["parent_id"].id() or ""
    found = _SUBMISSION.search(data["context"].text() or data["permalink"].text() or "")
    return data["link_id"].id() or (parent if parent.startswith("t3_") else f"t3_{found[1]}" if found else None)


def _is_own(data: Node, account: Account) -> bool:
    name = account.id.removeprefix("u/").casefold()
    return bool(name) and name in {(data[each].text() or "").casefold() for each in ("author_fullname", "author")}


def _author(kind: str, data: Node) -> dict[str, Any]:
    """Whoever closed the account is nobody any more; moderators write messages as their subreddit."""
    name = data["author"].text()
    if name == _NOBODY:
        return {}
    if name is None and kind == "t4" and data["subreddit"].text():
        name = f"r/{data['subreddit'].text()}"
    return {"id": data["author_fullname"].id() or name, "handle": name}


def _text(kind: str, data: Node) -> str | None:
    body = data["selftext"] if kind == "t3" else data["body"]
    title = data["title"] if kind == "t3" else data["subject"] if kind == "t4" else Node()
    options = [option["text"].text() for option in data.at("poll_data", "options")]
    poll = "\n".join(f"- {option}" for option in options if option)
    text = titled(title.text(), titled(body.text(), poll))
    return _ENTITY.sub(_character, text) if text else None


def _character(entity: "re.Match[str]") -> str:
    return html.unescape(entity[0])


CONNECTOR: Final = Connector(
    network=NETWORK,
    title="Reddit",
    transports=("poll",),
    normalize=normalize,
    capabilities=Capabilities(
        edits=partly("`edited` of what is read again; the revision is the second of the edit"),
        deletes=partly("[deleted] and [removed] in what is read again; nothing is told"),
        threads=yes("the submission (link_id, or the address in an inbox) and parent_id; messages by the first one"),
        own_posts=yes("the account's name or its t2_ id (`account`)"),
        media=yes("images, galleries, videos; what a submission links to as a file"),
        language=no("it must be detected"),
        permalinks=partly("where the answer holds the path: not in messages"),
        reply=yes("POST /api/comment with thing_id"),
        limits="100 requests/min per OAuth client; 10,000 characters; a limit per subreddit (RATELIMIT)",
        proven=(
            "mentions and replies of the inbox",
            "comments and submissions, with raw_json=1",
            "answers to a comment and to an edit",
        ),
        unproven=(
            "private messages (t4), modmail",
            "answers without raw_json",
            "deleted and removed things",
            "galleries, videos, polls, nested replies",
        ),
    ),
)
