"""Bluesky: frames of Jetstream (both versions), records, views of posts, notifications, and direct messages.

A post is named by its repository, collection and key, at://DID/app.bsky.feed.post/KEY, however it reaches us.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

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
    yes,
)
from services.ingest.connectors import _bluesky_chat as chat
from services.ingest.connectors._bluesky_record import media_of, spans_of
from services.ingest.connectors._json_lines import read_documents
from services.ingest.connectors._language import language
from services.ingest.payload import ABSENT, Node

NETWORK: Final = "bluesky"
POST: Final = "app.bsky.feed.post"
_OPERATIONS: Final = {"c": "create", "u": "update", "d": "delete"}
"""As the first Jetstream abbreviated them."""
_URI: Final = re.compile(r"at://([^/\s]+)/([^/\s]+)/([^/\s?#]+)")
_TID: Final = re.compile(r"[2-7a-j][2-7a-z]{12}")
_TID_ALPHABET: Final = "234567abcdefghijklmnopqrstuvwxyz"
_TID_CLOCK_BITS: Final = 10
_NO_HANDLE: Final = "handle.invalid"


class _Address(NamedTuple):
    did: str
    collection: str
    key: str

    def uri(self) -> str:
        return f"at://{self.did}/{self.collection}/{self.key}"


class _Told(NamedTuple):
    """What stands around a record."""

    seen_at: datetime | None
    edited_at: datetime | None = None
    view: Node = ABSENT


def normalize(body: bytes, account: Account) -> list[Outcome]:
    """Read one or several frames, or an answer of the API."""
    documents = read_documents(body)
    if documents is None:
        return [MALFORMED]
    return all_of(outcome for each in documents for outcome in _document(each, account))


def _document(document: Node, account: Account) -> Iterable[Outcome]:
    if not document.is_object():
        return [MALFORMED]
    frame = document["payload"] if document["payload"].is_object() else document
    if frame["did"].id() and ("time_us" in frame or "seq" in frame):
        return [_frame(frame, account)]
    for member, outcomes in _PAGES.items():
        if document[member].is_list():
            return outcomes(document, account)
    if document["thread"].is_object():
        return [_view(each, account) for each in _posts_of(document["thread"])]
    return [_single(document, account)]


def _single(document: Node, account: Account) -> Outcome:
    if document["convo"].is_object():
        return chat.conversation(document["convo"], account)
    if document.at("sender", "did"):
        return chat.message(document, account)
    return _view(document, account)


def _frame(frame: Node, account: Account) -> Outcome:
    """A frame of Jetstream: its first version nests what the second one tells flat."""
    commit = frame["commit"] if frame["commit"].is_object() else frame
    operation = commit["operation"].text() or _OPERATIONS.get(commit["type"].text() or "")
    if not operation:
        kind = frame["kind"].text() or (frame["$type"].text() or "nothing").rpartition("#")[2]
        return Ignored(Reason.NO_POST, f"a frame of {kind}")
    did, collection, key = frame["did"].id(), commit["collection"].text(), commit["rkey"].id()
    if not did or not collection or not key:
        return Ignored(Reason.NO_ID, "did, collection and rkey name a record")
    address = _Address(did, collection, key)
    if collection != POST:
        return Ignored(Reason.NO_POST, f"a record of {collection}")
    if operation == "delete":
        own = did == account.id
        return post(network=NETWORK, kind="public_post", change="deleted", native_id=address.uri(), own=own)
    seen_at = frame["time"].time() or frame["time_us"].microseconds()
    if not commit["record"].is_object():
        return Ignored(Reason.IDS_ONLY, "a commit without its record")
    edited_at = (_time_of(commit["rev"]) or seen_at) if operation == "update" else None
    return _post(address, commit["record"], _Told(seen_at, edited_at), account)


def _view(view: Node, account: Account) -> Outcome:
    """A record as the API shows it: alone, in a feed or a thread, or as the cause of a notification."""
    if view["reason"]["$type"].text() == "app.bsky.feed.defs#reasonRepost":
        return Ignored(Reason.NO_POST, "a repost: it says nothing of its own")
    view = view["post"] or view["value"]["post"] or view
    record = view["record"] if view["record"].is_object() else view["value"]
    address = _address(view)
    if address is None:
        return _nameless(view)
    if (kind := record["$type"].text() or address.collection) != POST or address.collection != POST:
        return Ignored(Reason.NO_POST, f"a record of {kind}")
    if not record.is_object():
        return _without_record(view)
    return _post(address, record, _Told(view["indexedAt"].time(), view=view), account)


def _address(view: Node) -> _Address | None:
    """By its uri, in which people may put a handle in place of the DID."""
    match = _URI.fullmatch(view["uri"].text() or "")
    return _Address(view.at("author", "did").id() or match[1], match[2], match[3]) if match else None


def _nameless(view: Node) -> Ignored:
    if "error" in view:
        return Ignored(Reason.NO_POST, "an error of the API")
    if view["$type"].text() == POST or view["record"] or view["value"]:
        return Ignored(Reason.NO_ID, "a record without its uri")
    return Ignored(Reason.NO_POST, "an object that holds no post")


def _without_record(view: Node) -> Ignored:
    if view["notFound"] or view["blocked"]:
        return Ignored(Reason.NO_POST, "a post that is gone, or hidden from the account")
    if view["commit"] or view["validationStatus"]:
        return Ignored(Reason.NO_POST, "the answer to a write of our own")
    return Ignored(Reason.IDS_ONLY, "a post without its record")


def _post(address: _Address, record: Node, told: _Told, account: Account) -> Outcome:
    parent = record.at("reply", "parent", "uri").text()
    media = list(media_of(told.view["embed"])) or list(media_of(record["embed"]))
    return post(
        network=NETWORK,
        kind="public_comment" if parent else "public_post",
        edited_at=told.edited_at,
        native_id=address.uri(),
        native_parent_id=parent,
        native_thread_id=record.at("reply", "root", "uri").text(),
        own=address.did == account.id,
        author=_author(address.did, told.view["author"]),
        text=record["text"].text(),
        language=language(record.at("langs", 0)),
        create_time=_written_at(record["createdAt"].time(), told.seen_at),
        permalink=f"https://bsky.app/profile/{address.did}/post/{address.key}",
        followers=told.view.at("author", "followersCount").integer(),
        media=media,
        spans=spans_of(record),
    )


def _author(did: str, author: Node) -> dict[str, Any]:
    """Views tell who it is; frames and records the DID alone."""
    handle = author["handle"].text()
    verified = author.at("verification", "verifiedStatus").text()
    return {
        "id": did,
        "handle": handle if handle != _NO_HANDLE else None,
        "display_name": author["displayName"].text(),
        "verified": verified == "valid" if verified else None,
    }


def _written_at(claimed: datetime | None, seen_at: datetime | None) -> datetime | None:
    """The author's app claims what it likes: as Bluesky does to sort, nothing was written after it was seen."""
    return min(claimed, seen_at) if claimed and seen_at else claimed or seen_at


def _posts_of(thread: Node) -> Iterator[Node]:
    """What stands above the post, from the root on, the post, and its replies below; as deep as it likes."""
    above, parent = [], thread["parent"]
    while parent.is_object():
        above.append(parent)
        parent = parent["parent"]
    yield from reversed(above)
    open_ = [thread]
    while open_:
        node = open_.pop()
        yield node
        open_ += reversed(list(node["replies"]))


def _time_of(revision: Node) -> datetime | None:
    """When a commit was made: its revision counts microseconds, whichever server tells of it."""
    tid = revision.text() or ""
    if not _TID.fullmatch(tid):
        return None
    number = 0
    for each in tid:
        number = number * len(_TID_ALPHABET) + _TID_ALPHABET.index(each)
    return Node(number >> _TID_CLOCK_BITS).microseconds()


def _views(member: str) -> Callable[[Node, Account], Iterator[Outcome]]:
    return lambda page, account: (_view(each, account) for each in page[member])


_PAGES: Final[Mapping[str, Callable[[Node, Account], Iterable[Outcome]]]] = {
    member: _views(member) for member in ("notifications", "posts", "feed", "records", "thread")
} | {"messages": chat.messages, "logs": chat.logs, "convos": chat.conversations}

CONNECTOR: Final = Connector(
    network=NETWORK,
    title="Bluesky",
    transports=("stream",),
    normalize=normalize,
    capabilities=Capabilities(
        edits=yes("update commits of Jetstream; the revision is the second of the commit"),
        deletes=partly("delete commits of Jetstream; an account that is closed tells of itself, not of its posts"),
        threads=yes("reply.root and reply.parent; the conversation of a direct message where the log tells it"),
        own_posts=yes("the DID (`account`)"),
        media=partly("kind and description; addresses in views alone, and a link's card as a file"),
        language=partly("the first of langs, as the author's app says"),
        permalinks=yes("bsky.app, by DID and key"),
        reply=yes("com.atproto.repo.createRecord with reply.root and reply.parent"),
        limits="5,000 points/h and 35,000/day (a post costs 3); 300 graphemes",
        proven=("posts and reposts of Jetstream v1", "posts and info of Jetstream v2", "getRecord"),
        unproven=(
            "notifications, views of posts, threads and feeds",
            "facets, embeds, replies",
            "update and delete commits",
            "direct messages (chat.bsky.convo)",
        ),
    ),
)
