"""LinkedIn: social actions on an organization's posts, by webhook or read (https://learn.microsoft.com/linkedin)."""

from collections.abc import Iterable
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
    yes,
)
from services.ingest.connectors._linkedin_posts import NETWORK, media_of, read_comment, read_post
from services.ingest.connectors._linkedin_urns import author_of, is_own, normalized, permalink, post_of, words_of
from services.ingest.payload import Node, read_json
from services.ingest.rawpost import Change
from services.ingest.verification import LINKEDIN

_COMMENTS: Final[dict[str, Change]] = {
    "COMMENT": "created",
    "ADMIN_COMMENT": "created",
    "COMMENT_EDIT": "edited",
    "COMMENT_DELETE": "deleted",
}
_SHARES: Final = frozenset({"SHARE", "SHARE_MENTION"})
_LISTS: Final = ("notifications", "elements")


def normalize(body: bytes, account: Account) -> list[Outcome]:
    """Read a batch of notifications, a page of posts or comments, or one of them."""
    document = read_json(body)
    if document is None or not (document.is_object() or document.is_list()):
        return [MALFORMED]
    return all_of(_item(each, account.id) for each in _items(document))


def _items(document: Node) -> Iterable[Node]:
    if document.is_list():
        return document
    for name in _LISTS:
        if document[name].is_list():
            return document[name]
    if document["results"].is_object():
        return [each for _, each in document["results"].members()]
    return [document]


def _item(item: Node, account_id: str) -> Outcome:
    action = item["action"].text()
    if action in _COMMENTS:
        return _comment(item, action, account_id)
    if action in _SHARES:
        return _share(item, account_id)
    if action:
        return Ignored(Reason.NO_POST, f"a notification of {action}")
    if item["message"].is_object() and item["object"]:
        return read_comment(item, account_id)
    if item["author"] or item["owner"]:
        return read_post(item, account_id)
    return Ignored(Reason.NO_POST, "neither a notification nor a post nor a comment")


def _comment(notification: Node, action: str, account_id: str) -> Outcome:
    comment, change = notification.at("decoratedGeneratedActivity", "comment"), _COMMENTS[action]
    urn = normalized(notification["generatedActivity"]) or normalized(comment["entity"])
    thread = post_of(urn) or normalized(notification["sourcePost"])
    if change == "deleted":
        return post(network=NETWORK, kind="public_comment", change=change, native_id=urn, native_thread_id=thread)
    if not comment:
        return Ignored(Reason.IDS_ONLY, "the comment is named and must be fetched")
    answered = normalized(comment["parentComment"]) or normalized(comment["object"])
    return post(
        **_said(notification, comment, account_id),
        kind="public_comment",
        change=change,
        edited_at=notification["lastModifiedAt"].milliseconds() if change == "edited" else None,
        native_id=urn,
        native_parent_id=answered if post_of(answered) else thread,
        native_thread_id=thread,
        create_time=notification["lastModifiedAt"].milliseconds() if change == "created" else None,
        permalink=permalink(urn),
    )


def _share(notification: Node, account_id: str) -> Outcome:
    decorated = notification["decoratedGeneratedActivity"]
    share = decorated["share"] or decorated["ugcPost"] or decorated["post"]
    if not share and notification["action"].text() == "SHARE_MENTION":
        share = notification["decoratedSourcePost"]
    urn = normalized(share["entity"]) or normalized(notification["generatedActivity"])
    if not share:
        return Ignored(Reason.IDS_ONLY, "the post is named and must be fetched")
    return post(
        **_said(notification, share, account_id),
        kind="public_post",
        native_id=urn,
        create_time=notification["lastModifiedAt"].milliseconds(),
        permalink=permalink(urn),
    )


def _said(notification: Node, activity: Node, account_id: str) -> dict[str, Any]:
    """Who said what: the organization itself, where it is the owner or its administrators speak for it."""
    owner = (activity["owner"] or activity["actor"]).id()
    by_administrator = notification["action"].text() == "ADMIN_COMMENT"
    organization = notification["organizationalEntity"].id()
    return {
        "network": NETWORK,
        "own": by_administrator or is_own(owner, account_id) or (owner is not None and owner == organization),
        "author": author_of(owner, activity["owner~"] or activity["actor~"]),
        "text": words_of(activity["text"]) or words_of(activity["message"]),
        "media": media_of(activity["mediaCategory"].text()),
    }


CONNECTOR: Final = Connector(
    network=NETWORK,
    title="LinkedIn",
    transports=("webhook", "poll"),
    normalize=normalize,
    verification=LINKEDIN,
    capabilities=Capabilities(
        edits=yes("COMMENT_EDIT, and lastModified where it is read; the revision is the second of the edit"),
        deletes=partly("COMMENT_DELETE; a deleted post is only absent when it is read again"),
        threads=yes("the post in the comment's URN; the parent is `parentComment`, else the post"),
        own_posts=yes("the owner is the organization, or the action is ADMIN_COMMENT"),
        media=partly("kind alone in notifications; files need the API"),
        language=no("LinkedIn names none"),
        permalinks=yes("made of the URN"),
        reply=yes("POST /rest/socialActions/{urn}/comments; about 1,250 characters"),
        limits="public posts only; notifications in batches of 10; members' activity may be kept for 48 hours",
        proven=("COMMENT, SHARE in an envelope",),
        unproven=("COMMENT_EDIT, COMMENT_DELETE, SHARE_MENTION, ADMIN_COMMENT", "pages of posts and comments"),
    ),
)
