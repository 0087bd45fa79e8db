"""X: the Activity API, the filtered stream, API v2, and the older Account Activity API (https://docs.x.com)."""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

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
    yes,
)
from services.ingest.connectors._x_legacy import read_legacy_deletion, read_legacy_message, read_legacy_post
from services.ingest.connectors._x_parts import NETWORK, deleted, people_of, unwrapped, user_id
from services.ingest.connectors._x_posts import Includes, read_message, read_post
from services.ingest.payload import Node, read_json
from services.ingest.verification import X

_ENCRYPTED: Final = frozenset({"chat.received", "chat.sent"})
_MESSAGES: Final = frozenset({"direct_message_events", "events"})


def normalize(body: bytes, account: Account) -> list[Outcome]:
    """Read an event, a frame of a stream, or the answer of a list; of both generations of the API."""
    document = read_json(body)
    if document is None or not (document.is_object() or document.is_list()):
        return [MALFORMED]
    mine = frozenset({account.id} - {""})
    return all_of(each for one in (document if document.is_list() else [document]) for each in _document(one, mine))


def _document(document: Node, mine: frozenset[str]) -> Iterable[Outcome]:
    data = document["data"]
    if data.is_object() and not (_is_event(data) or _is_more_than_an_answer(data, document)):
        return [Ignored(Reason.NO_POST, "the answer to a call of our own")]
    if data:
        includes = Includes.of(document["includes"])
        return [each for one in (data if data.is_list() else [data]) for each in _object(one, includes, mine)]
    if _is_event(document):
        return _activity(document, mine)
    if document["errors"]:
        return [Ignored(Reason.NO_POST, "an error of the API")]
    return list(_account_activity(document, mine)) or [_bare(document, mine)]


def _is_event(node: Node) -> bool:
    return bool(node["event_type"].text()) and "payload" in node


def _is_more_than_an_answer(data: Node, document: Node) -> bool:
    """A post that we sent is answered by its id and text alone; a frame of a stream names its rules."""
    return "matching_rules" in document or not {name for name, _ in data.members()} <= {"id", "text"}


def _object(item: Node, includes: Includes, mine: frozenset[str]) -> Iterable[Outcome]:
    if _is_event(item):
        return _activity(item, mine)
    return [_item(item, includes, mine)]


def _item(item: Node, includes: Includes, mine: frozenset[str]) -> Outcome:
    gone = item.at("delete", "tweet")
    if gone:
        return deleted(gone["id"].id(), gone["author_id"].id(), mine)
    if item.at("tweet_edit", "tweet"):
        return Ignored(Reason.IDS_ONLY, "an edit, of which the ids alone are told")
    if item["event_type"].text():
        return read_message(item, includes, mine)
    if "text" in item or item["note_tweet"]:
        return read_post(item, includes, mine)
    return Ignored(Reason.NO_POST, f"it tells of {', '.join(islice((name for name, _ in item.members()), 5))}")


def _activity(event: Node, mine: frozenset[str]) -> Iterable[Outcome]:
    """An event of the Activity API, of which `event_type` tells the form of the payload."""
    name, payload = event["event_type"].text() or "", unwrapped(event["payload"])
    if name in _ENCRYPTED:
        return [Ignored(Reason.ENCRYPTED, name)]
    if name == "post.delete":
        return [deleted(payload["id"].id(), payload["author_id"].id(), mine)]
    if payload["direct_message_events"]:
        # Private events are told to nobody but the account itself.
        return _messages(payload["direct_message_events"], payload, _with(mine, event.at("filter", "user_id")))
    if name.startswith("post.") and ("text" in payload or payload["note_tweet"]):
        return [read_post(payload, Includes.of(event["includes"]), mine)]
    return [Ignored(Reason.NO_POST, f"an event of {name}")]


def _account_activity(document: Node, mine: frozenset[str]) -> Iterator[Outcome]:
    """Events of the Account Activity API, of which a delivery may hold several kinds."""
    ours = _with(mine, document["for_user_id"])
    for name, events in document.members():
        if name in {"tweet_create_events", "statuses"}:
            yield from (read_legacy_post(each, ours) for each in events)
        elif name == "tweet_delete_events":
            yield from (read_legacy_deletion(each, ours) for each in events)
        elif name in _MESSAGES:
            yield from _messages(events, document, ours)
        elif name.endswith("_events") or name == "user_event":
            yield Ignored(Reason.NO_POST, f"an event of {name}")


def _messages(events: Node, document: Node, ours: frozenset[str]) -> list[Outcome]:
    people = people_of(document["users"])
    return [read_legacy_message(each, people, ours) for each in events]


def _with(mine: frozenset[str], subscriber: Node) -> frozenset[str]:
    return mine | frozenset({subscriber.id() or ""} - {""})


def _bare(document: Node, mine: frozenset[str]) -> Outcome:
    """A post by itself, or a deletion in a stream of API v1.1."""
    if document["delete"].is_object():
        return read_legacy_deletion(document["delete"], mine)
    if document["user"].is_object() or "id_str" in document:
        return read_legacy_post(document, mine)
    if user_id(document) and "text" in document:
        return read_post(document, Includes.of(document["includes"]), mine)
    return Ignored(Reason.NO_POST, "no post is in it")


CONNECTOR: Final = Connector(
    network=NETWORK,
    title="X",
    transports=("webhook", "poll", "stream"),
    normalize=normalize,
    verification=X,
    capabilities=Capabilities(
        edits=partly("seen when the post is read again: edit_history_tweet_ids; the revision is the place in it"),
        deletes=partly("posts of the accounts that are followed (post.delete); others by the compliance stream"),
        threads=yes("conversation_id and the post replied to; a quote is a post of its own"),
        own_posts=yes("author_id is the account's id (`account`); in direct messages the subscription says it"),
        media=yes("kind, address, description and length, where the expansion is asked for"),
        language=yes("lang, as X found it"),
        permalinks=yes("by the author's name, else x.com/i/web/status"),
        reply=partly("posts where the author mentioned or quoted the account; 280 weighted characters"),
        limits="mentions 450 calls/15 min; filtered stream 250 posts/s, one connection an app; search of 7 days; reads "
        "are paid by the post",
        proven=(
            "post.create, post.mention.create, post.reply.create, post.quote.create, post.delete, dm.received",
            "filtered stream frames; lists of mentions and quotes with default fields",
            "Account Activity: replies, extended posts, direct messages, revocations",
        ),
        unproven=("edits", "expanded media", "note_tweet", "chat.received (encrypted)", "dm_events lists"),
    ),
)
