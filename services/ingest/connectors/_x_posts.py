"""X: posts and direct messages as API v2, the filtered stream and the Activity API give them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from services.ingest.connector import Ignored, Outcome, Reason, post
from services.ingest.connectors._x_parts import (
    MEDIA_KINDS,
    NETWORK,
    RETWEET,
    People,
    address,
    author_of,
    best_variant,
    count,
    followers_of,
    is_repost_by_its_text,
    language,
    people_of,
    permalink,
    person,
    plain,
    spans_of,
    unwrapped,
    version_of,
)
from services.ingest.payload import ABSENT, Node

_KINDS_BY_KEY: Final = {"3": "image", "7": "video", "13": "video", "16": "video"}
"""What the beginning of a media key says where the media are not brought along."""


@dataclass(frozen=True, slots=True)
class Includes:
    """What a payload brings along."""

    people: People
    media: Mapping[str, Node]
    first_ids: Mapping[str, str]
    """The id of the first version, by the id of any that a payload knows of."""

    @classmethod
    def of(cls, includes: Node) -> "Includes":
        """Read the object `includes`."""
        media = map(unwrapped, includes["media"])
        return cls(
            people_of(includes["users"]),
            {key: node for node in media if (key := node["media_key"].text())},
            {own_id: first for node in includes["tweets"] for own_id, first in _first_ids(unwrapped(node))},
        )


def read_post(tweet: Node, includes: Includes, mine: frozenset[str]) -> Outcome:
    """A post; `mine` are the ids of the connected account."""
    referred, own_id = _referred(tweet), tweet["id"].id()
    if "retweeted" in referred or not ("referenced_tweets" in tweet or not is_repost_by_its_text(tweet["text"].text())):
        return RETWEET
    if not own_id:
        return Ignored(Reason.NO_ID)
    version = version_of(own_id, tweet["edit_history_tweet_ids"])
    first_ids = {**includes.first_ids, **dict(_first_ids(tweet))}
    parent = referred.get("replied_to") or tweet["in_reply_to_tweet_id"].id()
    thread = tweet["conversation_id"].id()
    author_id = tweet["author_id"].id()
    user = person(includes.people, author_id)
    long = tweet["note_tweet"]
    text = plain(long["text"].text() or tweet["text"].text())
    return post(
        network=NETWORK,
        kind="public_comment" if parent else "public_post",
        change="edited" if version.revision > 1 else "created",
        revision=version.revision if version.revision > 1 else None,
        native_id=version.native_id,
        native_parent_id=first_ids.get(parent, parent) if parent else None,
        native_thread_id=first_ids.get(thread, thread) if thread else None,
        own=author_id in mine,
        author=author_of(author_id, user),
        text=text,
        language=language(tweet["lang"]),
        create_time=tweet["created_at"].time(),
        permalink=permalink(user, own_id),
        followers=followers_of(user),
        views=count(tweet.at("public_metrics", "impression_count")),
        media=list(_media(tweet, includes)),
        spans=spans_of(text, long["entities"] if long["text"].text() else tweet["entities"]),
    )


def read_message(event: Node, includes: Includes, mine: frozenset[str]) -> Outcome:
    """A direct message of API v2."""
    if event["event_type"].text() != "MessageCreate":
        return Ignored(Reason.NO_POST, f"a direct message event of {event['event_type'].text()}")
    sender = event["sender_id"].id()
    user, text = person(includes.people, sender), plain(event["text"].text())
    return post(
        network=NETWORK,
        kind="direct_message",
        native_id=event["id"].id(),
        native_thread_id=event["dm_conversation_id"].id(),
        own=sender in mine,
        author=author_of(sender, user),
        text=text,
        create_time=event["created_at"].time(),
        followers=followers_of(user),
        media=list(_media(event, includes)),
        spans=spans_of(text, event["entities"] or event),
    )


def _referred(tweet: Node) -> dict[str, str]:
    """The ids of the posts that it refers to, by how it does."""
    found = ((each["type"].text(), each["id"].id()) for each in tweet["referenced_tweets"])
    return {how: own_id for how, own_id in found if how and own_id}


def _first_ids(tweet: Node) -> list[tuple[str, str]]:
    ids = [each for node in tweet["edit_history_tweet_ids"] if (each := node.id())]
    return [(each, ids[0]) for each in ids]


def _media(tweet: Node, includes: Includes) -> Iterator[dict[str, Any]]:
    for node in tweet.at("attachments", "media_keys"):
        key = node.text() or ""
        media = includes.media.get(key, ABSENT)
        milliseconds = count(media["duration_ms"])
        yield {
            "kind": MEDIA_KINDS.get(media["type"].text() or "") or _KINDS_BY_KEY.get(key.partition("_")[0], "file"),
            "url": address(media["url"]) or best_variant(media["variants"], "bit_rate"),
            "alt_text": media["alt_text"].text(),
            "duration_seconds": None if milliseconds is None else round(milliseconds / 1000),
        }
