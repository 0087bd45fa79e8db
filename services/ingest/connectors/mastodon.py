"""Mastodon, and what speaks its API: statuses, notifications, conversations, and events of its streams.

An account hears of a status from its own server alone, by the number that this server gave it: deletions and replies
name nothing else. So this number is the native id, and the `uri`, which every server agrees on, is a permalink at most.
"""

import re
from collections.abc import Callable, Iterable, Iterator
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
    post,
    titled,
    yes,
)
from services.ingest.connectors._json_lines import read_documents
from services.ingest.connectors._language import language
from services.ingest.event_stream import read_events
from services.ingest.markup import html_to_text
from services.ingest.payload import ABSENT, Node, read_json

NETWORK: Final = "mastodon"
_MEDIA: Final = {"image": "image", "video": "video", "gifv": "video", "audio": "audio"}
_EDITS: Final = frozenset({"status.update", "status.updated"})
_EVENTS: Final = _EDITS | {"update", "status.created", "notification", "conversation"}
_TOLD_OF_POSTS: Final = frozenset({"mention", "status", "update", "quote", "quoted_update"})
# Servers put it first for clients that know no quotes: others show the quoted status instead.
_QUOTE_FALLBACK: Final = re.compile(r'\s*<p class="quote-inline">.{0,4000}?</p>', re.DOTALL)


def normalize(body: bytes, account: Account) -> list[Outcome]:
    """Read an answer of the REST API, a frame of the WebSocket, an admin webhook, or a captured event stream."""
    documents = read_documents(body)
    if documents is None:
        return _stream(body.decode("utf-8", "replace"), account)
    return all_of(outcome for each in documents for outcome in _object(each, account))


def _stream(text: str, account: Account) -> list[Outcome]:
    # A capture may lack the empty line at its end; data that may be cut short, such as an id, stays out.
    whole = text + "\n\n" if text.endswith(("\n", "}")) else text
    found = [_event(each.name, _payload(each.data), account) for each in read_events(whole)]
    if not found and any(line.startswith(":") for line in text.splitlines()):
        return [Ignored(Reason.NO_POST, "a stream that only shows that it is alive")]
    return found or [MALFORMED]


def _object(node: Node, account: Account) -> Iterable[Outcome]:
    if name := node["event"].text():
        payload = node["payload"].text()
        return [_event(name, _payload(payload) if payload else node["payload"] or node["object"], account)]
    for member, outcomes in _PAGES.items():
        if node[member].is_list():
            return outcomes(node, account)
    if "last_status" in node:
        return [_conversation(node, account)]
    if node["type"].text() and "content" not in node:
        return [_notification(node, account)]
    return [_status(node, account)]


def _payload(data: str) -> Node:
    """What an event carries: a JSON object, or an id as it is."""
    document = read_json(data.encode("utf-8", "replace"))
    return document if document and document.is_object() else Node(data.strip())


def _event(name: str, payload: Node, account: Account) -> Outcome:
    if name == "delete":
        return post(network=NETWORK, kind="public_post", change="deleted", native_id=payload.id())
    if name not in _EVENTS:
        return Ignored(Reason.NO_POST, f"an event of {name}")
    if not payload.is_object():
        return MALFORMED
    if name == "notification":
        return _notification(payload, account)
    if name == "conversation":
        return _conversation(payload, account)
    return _status(payload, account, edited=name in _EDITS)


def _conversation(conversation: Node, account: Account) -> Outcome:
    return _held(conversation["last_status"], account, "a conversation without a status")


def _notification(notification: Node, account: Account) -> Outcome:
    kind = notification["type"].text()
    if kind not in _TOLD_OF_POSTS:
        return Ignored(Reason.NO_POST, f"a notification of {kind}")
    return _held(notification["status"], account, f"a notification of {kind} without its status", kind == "update")


def _groups(page: Node, account: Account) -> Iterator[Outcome]:
    """Notifications of the second version, which name statuses and accounts that stand beside them."""
    statuses = {each["id"].id(): each for each in page["statuses"]}
    for group in page["notification_groups"]:
        status = statuses.get(group["status_id"].id(), ABSENT)
        yield _notification(Node({"type": group["type"].value, "status": status.value}), account)


def _statuses(page: Node, account: Account) -> Iterator[Outcome]:
    return (_status(each, account) for each in page["statuses"])


def _context(context: Node, account: Account) -> Iterator[Outcome]:
    """What stands before and after a status; the first of all is the root of them all."""
    first = context.at("ancestors", 0)
    root = context.at("descendants", 0, "in_reply_to_id") if not first else ABSENT
    if first and not first["in_reply_to_id"]:
        root = first["id"]
    for each in [*context["ancestors"], *context["descendants"]]:
        yield _status(each, account, thread=root.id())


_PAGES: Final[dict[str, Callable[[Node, Account], Iterator[Outcome]]]] = {
    "notification_groups": _groups,
    "ancestors": _context,
    "descendants": _context,
    "statuses": _statuses,
}


def _held(status: Node, account: Account, otherwise: str, edited: bool = False) -> Outcome:  # noqa: FBT001, FBT002
    return _status(status, account, edited=edited) if status.is_object() else Ignored(Reason.NO_POST, otherwise)


def _status(status: Node, account: Account, *, edited: bool = False, thread: str | None = None) -> Outcome:
    if (refusal := _no_status(status)) is not None:
        return refusal
    if "content" not in status:
        # Only the answer to a deletion has the words as they were typed, for a new draft, instead of the content.
        return post(network=NETWORK, kind=_kind(status), change="deleted", native_id=status["id"].id())
    return post(
        network=NETWORK,
        kind=_kind(status),
        change="edited" if edited else "created",
        edited_at=status["edited_at"].time(),
        native_id=status["id"].id(),
        native_parent_id=status["in_reply_to_id"].id(),
        native_thread_id=thread,
        own=bool(account.id) and status.at("account", "id").id() == account.id,
        author=_author(status["account"]),
        text=_text(status),
        language=language(status["language"]),
        create_time=status["created_at"].time(),
        permalink=status["url"].text() or status["uri"].text(),
        followers=_followers(status["account"]),
        media=list(_media(status["media_attachments"])),
    )


def _no_status(node: Node) -> Ignored | None:
    """Why something is no status that somebody wrote."""
    if not node.is_object():
        return MALFORMED
    if "error" in node:
        return Ignored(Reason.NO_POST, "an error of the API")
    if node["reblog"].is_object():
        return Ignored(Reason.NO_POST, "a boost: it says nothing of its own")
    if not node["account"].is_object() or not ("content" in node or "text" in node):
        return Ignored(Reason.NO_POST, "an object that is no status")
    if not node["id"].id():
        return Ignored(Reason.NO_ID, "a version of an edited status, which does not name the status")
    return None


def _kind(status: Node) -> str:
    if status["visibility"].text() == "direct":
        return "direct_message"
    return "public_comment" if status["in_reply_to_id"].id() else "public_post"


def _text(status: Node) -> str | None:
    content = status["content"].text() or ""
    if status["quote"].is_object() and (fallback := _QUOTE_FALLBACK.match(content)):
        content = content[fallback.end() :]
    options = [option["title"].text() for option in status.at("poll", "options")]
    poll = "\n".join(f"- {option}" for option in options if option)
    return titled(status["spoiler_text"].text(), titled(html_to_text(content), poll))


def _author(author: Node) -> dict[str, Any]:
    return {
        "id": author["id"].id(),
        "handle": author["acct"].text() or author["username"].text(),
        "display_name": author["display_name"].text(),
    }


def _followers(author: Node) -> int | None:
    """How many follow; some servers write -1 where the author hides it."""
    followers = author["followers_count"].integer()
    return followers if followers is not None and followers >= 0 else None


def _media(attachments: Node) -> Iterator[dict[str, Any]]:
    """What is attached; it has no address yet while the server works on it."""
    for each in attachments:
        seconds = each.at("meta", "original", "duration").number()
        yield {
            "kind": _MEDIA.get(each["type"].text() or "", "file"),
            "url": each["url"].text() or each["remote_url"].text(),
            "alt_text": each["description"].text(),
            "duration_seconds": round(seconds) if seconds is not None else None,
        }


CONNECTOR: Final = Connector(
    network=NETWORK,
    title="Mastodon",
    transports=("stream", "poll"),
    normalize=normalize,
    capabilities=Capabilities(
        edits=yes("status.update, and edited_at of what is read later; the revision is the second of the edit"),
        deletes=yes("delete events of the stream; what was deleted while nobody listened is never told"),
        threads=yes("replies name their parent; a context answer tells the root"),
        own_posts=yes("account.id is the account's id on its server (`account`)"),
        media=yes("kind, address, description and length; the address comes later where the server still works on it"),
        language=yes("as the author's app or server says"),
        permalinks=yes("url, else uri"),
        reply=yes("POST /api/v1/statuses with in_reply_to_id, the parent's visibility and a mention"),
        limits="300 requests per account in 5 minutes; 500 characters unless the server says otherwise",
        proven=(
            "statuses, replies, edits, media",
            "mentions, grouped notifications, direct conversations",
            "a user's event stream: update, notification, status.update, delete",
        ),
        unproven=("quotes and polls", "context answers", "WebSocket frames and admin webhooks", "audio and video"),
    ),
)
