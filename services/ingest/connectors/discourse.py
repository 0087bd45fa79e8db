"""Discourse: webhooks of a forum, and posts as its API lists them (https://docs.discourse.org).

A post is named by its topic and its number in it, "46582:3": replies name their parent by that number alone, never by
the global id, so only this name lets a parent, a thread and an answer (POST /posts.json) be found without asking. Its
price: a post that moderators move to another topic counts as a new one there.

That a post is gone stands only in the header X-Discourse-Event, so the delivery must come captured with its headers;
a body alone is believed to be of a post that exists.
"""

from collections.abc import Iterator, Mapping
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
from services.ingest.connectors._captured import Captured, read_captured
from services.ingest.connectors._discourse_text import post_media, post_text
from services.ingest.connectors._language import language
from services.ingest.payload import Node
from services.ingest.verification import DISCOURSE

NETWORK: Final = "discourse"
_FIRST: Final = 1
_SMALL_ACTION, _WHISPER = 3, 4
_LISTS: Final = ("latest_posts", "private_posts", "posts", "user_actions")
_TOPIC_FIELDS: Final = {"topic_title": "title", "topic_slug": "slug", "topic_archetype": "archetype"}


class _Told(NamedTuple):
    """What is known of a post beside its own fields."""

    account: Account
    event: str
    """The X-Discourse-Event header; "" where there is none."""
    site: str
    topic: Mapping[str, Any]
    """Fields of the topic that posts of a webhook carry themselves."""


def normalize(body: bytes, account: Account) -> list[Outcome]:
    """Read a webhook's delivery (captured with its headers, or its body), a post, a list of posts, or a topic."""
    captured = read_captured(body)
    if captured is None or not (captured.document.is_object() or captured.document.is_list()):
        return [MALFORMED]
    return all_of(_outcomes(captured, account))


def _outcomes(captured: Captured, account: Account) -> Iterator[Outcome]:
    document, headers = captured.document, captured.headers
    site = (headers.get("x-discourse-instance") or account.url).rstrip("/")
    told = _Told(account, headers.get("x-discourse-event", ""), site, {})
    if document["post"].is_object():
        yield _post(document["post"], told)
    elif document["topic"].is_object():
        yield _topic(document["topic"], told)
    elif document["chat_message"].is_object():
        yield _chat_message(document["chat_message"], told)
    elif document["post_number"]:
        yield _post(document, told)
    else:
        yield from _listed(document, told)


def _listed(document: Node, told: _Told) -> Iterator[Outcome]:
    stream = document.at("post_stream", "posts")
    if stream.is_list():
        told = told._replace(topic={name: document[given].value for name, given in _TOPIC_FIELDS.items()})
    pages = [page for page in (document, stream, *(document[name] for name in _LISTS)) if page.is_list()]
    for page in pages:
        yield from (_post(each, told) for each in page)
    if not pages:
        kind = next((name for name, _ in document.members()), "nothing")
        yield Ignored(Reason.NO_POST, f"a delivery of {kind}")


def _topic(topic: Node, told: _Told) -> Outcome:
    """What is said in a topic comes as its posts; that it is gone, its first post tells, or the topic alone."""
    if told.event != "topic_destroyed" and not topic["deleted_at"]:
        return Ignored(Reason.NO_POST, "a topic, whose posts are told on their own")
    number = topic["id"].id()
    name = f"{number}:{_FIRST}" if number else None
    return post(network=NETWORK, kind="public_post", change="deleted", native_id=name, native_thread_id=name)


def _post(said: Node, told: _Told) -> Outcome:
    said = Node({**told.topic, **said.value}) if said.is_object() else said
    if not _name(said, said["post_number"]):
        return Ignored(Reason.NO_ID, "topic_id and post_number name a post")
    if (unheard := _unheard(said)) is not None:
        return unheard
    if told.event == "post_destroyed" or said["deleted_at"] or said["user_deleted"].flag():
        return _deleted(said)
    if not said["raw"] and not said["cooked"]:
        return Ignored(Reason.IDS_ONLY, "neither raw nor cooked: the post must be fetched by its id")
    return _written(said, told)


def _unheard(said: Node) -> Ignored | None:
    """What nobody said to people."""
    if said["post_type"].integer() == _SMALL_ACTION:
        return Ignored(Reason.NO_POST, f"an action in a topic: {said['action_code'].text() or 'unknown'}")
    if said["post_type"].integer() == _WHISPER:
        return Ignored(Reason.NO_POST, "a whisper among the staff")
    if (said["user_id"].integer() or 0) < 0:
        return Ignored(Reason.AUTOMATIC, "the forum itself wrote it")
    return None


def _deleted(said: Node) -> Outcome:
    return post(
        network=NETWORK,
        kind=_kind(said),
        change="deleted",
        native_id=_name(said, said["post_number"]),
        native_thread_id=_name(said, Node(_FIRST)),
    )


def _written(said: Node, told: _Told) -> Outcome:
    """An edit that does not raise the version, as in a post's first minutes, is no other revision."""
    version = said["version"].integer() or _FIRST
    read = post_text(said, said["topic_title"].text() if said["post_number"].integer() == _FIRST else None)
    return post(
        network=NETWORK,
        kind=_kind(said),
        change="edited" if version > _FIRST else "created",
        revision=version if version > _FIRST else None,
        native_id=_name(said, said["post_number"]),
        native_parent_id=_name(said, said["reply_to_post_number"]),
        native_thread_id=_name(said, Node(_FIRST)),
        own=_is_own(said, told.account),
        author=_author(said),
        text=read.text,
        language=language(said["locale"]),
        create_time=said["created_at"].time(),
        permalink=_permalink(said, told),
        views=said["reads"].integer(),
        media=post_media(said),
        spans=read.spans,
    )


def _name(said: Node, number: Node) -> str | None:
    topic, number_in_topic = said["topic_id"].id(), number.id()
    return f"{topic}:{number_in_topic}" if topic and number_in_topic else None


def _kind(said: Node) -> str:
    if said["topic_archetype"].text() == "private_message":
        return "direct_message"
    return "public_post" if said["post_number"].integer() == _FIRST else "public_comment"


def _is_own(said: Node, account: Account) -> bool:
    names = {said["user_id"].id(), (said["username"].text() or "").casefold()}
    return bool(account.id) and account.id.casefold() in names


def _author(said: Node) -> dict[str, Any]:
    return {
        "id": said["user_id"].id() or said["username"].text(),
        "handle": said["username"].text(),
        "display_name": said["name"].text() or said["display_username"].text(),
    }


def _permalink(said: Node, told: _Told) -> str | None:
    if not told.site:
        return None
    path = said["post_url"].text() or f"/t/{said['topic_id'].id()}/{said['post_number'].id()}"
    return f"{told.site}{path}"


def _chat_message(delivery: Node, told: _Told) -> Outcome:
    """A message in a chat channel of the forum; its ids are apart from those of posts."""
    message, channel = delivery["message"], delivery["channel"]
    number, parent = message["id"].id(), message.at("in_reply_to", "id").id()
    is_gone = told.event == "chat_message_trashed" or bool(message["deleted_at"])
    change = "deleted" if is_gone else "edited" if message["edited"].flag() else "created"
    said = {} if is_gone else _chat_words(message, told.account)
    return post(
        network=NETWORK,
        kind="direct_message" if channel["chatable_type"].text() == "DirectMessage" else "public_comment",
        change=change,
        native_id=f"chat:{number}" if number else None,
        native_parent_id=f"chat:{parent}" if parent else None,
        **said,
    )


def _chat_words(message: Node, account: Account) -> dict[str, Any]:
    user = message["user"]
    return {
        "author": {
            "id": user["id"].id(),
            "handle": user["username"].text(),
            "display_name": user["name"].text(),
        },
        "own": bool(account.id) and account.id in (user["id"].id(), user["username"].text()),
        "text": message["message"].text() or post_text(message).text or None,
        "create_time": message["created_at"].time(),
        "media": post_media(message),
    }


CONNECTOR: Final = Connector(
    network=NETWORK,
    title="Discourse",
    transports=("webhook", "poll"),
    normalize=normalize,
    verification=DISCOURSE,
    capabilities=Capabilities(
        edits=yes("post_edited; the revision is the version, which edits in a post's first minutes do not raise"),
        deletes=partly("post_destroyed, told in a header alone; one that is recovered stays deleted here"),
        threads=yes("the topic's first post is the root; replies by reply_to_post_number"),
        own_posts=yes("the user id or name in `account`; what the forum itself writes is ignored"),
        media=yes("images, sounds, films and files in the post's HTML"),
        language=partly("where the forum keeps a post's locale"),
        permalinks=yes("from X-Discourse-Instance, or the site of the account"),
        reply=yes("POST /posts.json with topic_id and reply_to_post_number"),
        limits="60 requests/min with an admin's key; at least about 20 characters",
        proven=("post_created with and without its text",),
        unproven=("post_edited", "post_destroyed", "private messages", "lists of posts and topics", "chat messages"),
    ),
)
