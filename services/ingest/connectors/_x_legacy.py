"""X: posts, direct messages and deletions in the form of API v1.1 and the Account Activity API."""

from collections.abc import Iterator
from typing import Any

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
    deleted,
    followers_of,
    language,
    permalink,
    person,
    plain,
    spans_of,
    user_id,
    version_of,
)
from services.ingest.payload import Node


def read_legacy_post(tweet: Node, mine: frozenset[str]) -> Outcome:
    """A post; `mine` are the ids of the connected account."""
    own_id = user_id(tweet)
    long = tweet["extended_tweet"] if tweet.at("extended_tweet", "full_text").text() else tweet
    text = plain(long["full_text"].text() or long["text"].text())
    if tweet["retweeted_status"].is_object():
        return RETWEET
    if not own_id:
        return Ignored(Reason.NO_ID)
    version = version_of(own_id, _history(tweet))
    parent = tweet["in_reply_to_status_id_str"].id() or tweet["in_reply_to_status_id"].id()
    user = tweet["user"]
    return post(
        network=NETWORK,
        kind="public_comment" if parent else "public_post",
        change="edited" if version.revision > 1 else "created",
        revision=version.revision if version.revision > 1 else None,
        native_id=version.native_id,
        native_parent_id=parent,
        own=user_id(user) in mine,
        author=author_of(user_id(user), user),
        text=text,
        language=language(tweet["lang"]),
        create_time=tweet["created_at"].time() or tweet["timestamp_ms"].milliseconds(),
        permalink=permalink(user, own_id),
        followers=followers_of(user),
        media=[_media(each) for each in _attached(long)],
        spans=spans_of(text, long["entities"]),
    )


def read_legacy_message(event: Node, people: People, mine: frozenset[str]) -> Outcome:
    """A direct message; two people are one conversation, which API v2 names by both of them."""
    message = event["message_create"]
    if not message.is_object():
        return Ignored(Reason.NO_POST, f"a direct message event of {event['type'].text()}")
    content, sender = message["message_data"], message["sender_id"].id()
    user, text = person(people, sender), plain(content["text"].text())
    media = content.at("attachment", "media")
    return post(
        network=NETWORK,
        kind="direct_message",
        native_id=user_id(event),
        native_thread_id=_conversation(sender, message.at("target", "recipient_id").id()),
        own=sender in mine,
        author=author_of(sender, user),
        text=text,
        create_time=event["created_timestamp"].milliseconds(),
        followers=followers_of(user),
        media=[_media(media)] if media else [],
        spans=spans_of(text, content["entities"]),
    )


def read_legacy_deletion(event: Node, mine: frozenset[str]) -> Outcome:
    """A post that its author deleted."""
    status = event["status"]
    return deleted(user_id(status), status["user_id_str"].id() or status["user_id"].id(), mine)


def _history(tweet: Node) -> Node:
    control = tweet["ext_edit_control"]
    return (
        tweet.at("edit_history", "edit_tweet_ids")
        or control.at("initial", "edit_tweet_ids")
        or control.at("edit", "edit_control_initial", "edit_tweet_ids")
    )


def _conversation(sender: str | None, recipient: str | None) -> str | None:
    if not sender or not recipient:
        return None
    first, second = sorted((sender, recipient), key=lambda each: (len(each), each))
    return f"{first}-{second}"


def _attached(tweet: Node) -> Iterator[Node]:
    return iter(tweet.at("extended_entities", "media") or tweet.at("entities", "media"))


def _media(media: Node) -> dict[str, Any]:
    milliseconds = count(media.at("video_info", "duration_millis"))
    kind = MEDIA_KINDS.get(media["type"].text() or "", "file")
    still = address(media["media_url_https"]) or address(media["media_url"])
    return {
        "kind": kind,
        "url": still if kind == "image" else best_variant(media.at("video_info", "variants"), "bitrate"),
        "alt_text": media["ext_alt_text"].text(),
        "duration_seconds": None if milliseconds is None else round(milliseconds / 1000),
    }
