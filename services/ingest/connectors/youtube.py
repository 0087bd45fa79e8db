"""YouTube: comments, live chat messages and videos of the Data API (https://developers.google.com/youtube/v3)."""

import html
from collections.abc import Iterable, Iterator
from typing import Any, Final
from urllib.parse import urlsplit

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
    titled,
    yes,
)
from services.ingest.markup import html_to_text
from services.ingest.payload import ABSENT, Node, read_json

NETWORK: Final = "youtube"


def normalize(body: bytes, account: Account) -> list[Outcome]:
    """Read a page of a list, or one resource."""
    document = read_json(body)
    if document is None or not (document.is_object() or document.is_list()):
        return [MALFORMED]
    if document["error"]:
        return [Ignored(Reason.NO_POST, "an error of the API")]
    items = document if document.is_list() else document["items"] if document["items"].is_list() else [document]
    return all_of(outcome for item in items for outcome in _resource(item, account))


def _resource(item: Node, account: Account) -> Iterable[Outcome]:
    kind, snippet = item["kind"].text() or "", item["snippet"]
    if snippet["topLevelComment"].is_object():
        return _thread(item, account)
    if kind == "youtube#liveChatMessage":
        return [_live(item, account)]
    if kind in {"youtube#video", "youtube#searchResult"}:
        return [_video(item, account)]
    if kind == "youtube#comment" or snippet["textDisplay"] or snippet["textOriginal"]:
        return [_comment(item, ABSENT, account)]
    return [Ignored(Reason.NO_POST, f"a resource of {kind or 'no kind'}")]


def _thread(item: Node, account: Account) -> Iterator[Outcome]:
    """A comment and some of its answers: the others must be read by their parent."""
    video = item.at("snippet", "videoId")
    yield _comment(item.at("snippet", "topLevelComment"), video, account)
    for answer in item.at("replies", "comments"):
        yield _comment(answer, video, account)


def _comment(comment: Node, video: Node, account: Account) -> Outcome:
    snippet, own_id = comment["snippet"], comment["id"].id()
    parent = snippet["parentId"].id() or _parent_in(own_id)
    author = _channel(snippet)
    published, updated = snippet["publishedAt"].time(), snippet["updatedAt"].time()
    edited = published is not None and updated is not None and updated > published
    display = snippet["textDisplay"].text()
    image = snippet["imageUrl"].text()
    return post(
        network=NETWORK,
        kind="public_comment",
        edited_at=updated if edited else None,
        native_id=own_id,
        native_parent_id=parent,
        native_thread_id=parent or own_id,
        own=bool(account.id) and author == account.id,
        author=_author(author, snippet["authorDisplayName"].text()),
        text=snippet["textOriginal"].text() or (html_to_text(display) if display else None),
        create_time=published,
        permalink=_permalink((snippet["videoId"] or video).id(), own_id),
        media=[{"kind": "image", "url": image}] if image else [],
    )


def _live(message: Node, account: Account) -> Outcome:
    """A message of a live chat, with or without money; what is no message has no words of its own."""
    snippet, author = message["snippet"], message["authorDetails"]
    gone = snippet.at("messageDeletedDetails", "deletedMessageId").id()
    if gone:
        return post(network=NETWORK, kind="public_comment", change="deleted", native_id=gone)
    text = (
        snippet.at("textMessageDetails", "messageText").text() or snippet.at("superChatDetails", "userComment").text()
    )
    channel = snippet["authorChannelId"].id() or author["channelId"].id()
    if not text:
        return Ignored(Reason.NO_POST, f"a live chat event of {snippet['type'].text()}")
    return post(
        network=NETWORK,
        kind="public_comment",
        native_id=message["id"].id(),
        own=bool(account.id) and channel == account.id,
        author=_author(channel, author["displayName"].text()) | {"verified": author["isVerified"].flag()},
        text=text,
        create_time=snippet["publishedAt"].time(),
    )


def _video(item: Node, account: Account) -> Outcome:
    snippet, own_id = item["snippet"], (item.at("id", "videoId") or item["id"]).id()
    if not own_id:
        return Ignored(Reason.NO_POST, "a channel or a playlist")
    text = titled(snippet["title"].text(), snippet["description"].text())
    searched = item["kind"].text() == "youtube#searchResult"
    channel = snippet["channelId"].id()
    return post(
        network=NETWORK,
        kind="public_post",
        native_id=own_id,
        own=bool(account.id) and channel == account.id,
        author=_author(channel, snippet["channelTitle"].text()),
        # Search alone escapes what it finds.
        text=html.unescape(text) if searched and text else text,
        language=_language(snippet["defaultLanguage"].text()),
        create_time=snippet["publishedAt"].time(),
        permalink=_permalink(own_id, None),
        views=item.at("statistics", "viewCount").integer(),
        media=[{"kind": "video"}],
    )


def _language(code: str | None) -> str | None:
    return None if code in {"und", "zxx"} else code


def _parent_in(own_id: str | None) -> str | None:
    """The id of an answer starts with the id of what it answers."""
    parent, dot, _ = (own_id or "").partition(".")
    return parent if dot and parent else None


def _channel(snippet: Node) -> str | None:
    """The channel of the author, whose address is told even where its id is not."""
    return snippet.at("authorChannelId", "value").id() or _last_segment(snippet["authorChannelUrl"].text())


def _last_segment(url: str | None) -> str | None:
    try:
        return urlsplit(url or "").path.rpartition("/")[2] or None
    except ValueError:
        return None


def _author(channel: str | None, name: str | None) -> dict[str, Any]:
    """Since 2023 people are shown by their handle."""
    return {"id": channel, "handle": name if name and name.startswith("@") else None, "display_name": name}


def _permalink(video: str | None, comment: str | None) -> str | None:
    if not video:
        return None
    return f"https://www.youtube.com/watch?v={video}" + (f"&lc={comment}" if comment else "")


CONNECTOR: Final = Connector(
    network=NETWORK,
    title="YouTube",
    transports=("poll",),
    normalize=normalize,
    capabilities=Capabilities(
        edits=partly("seen when the comment is read again: updatedAt after publishedAt; the revision is its second"),
        deletes=partly("live chat says it; a deleted comment is only absent when the thread is read again"),
        threads=yes("the top comment and its answers; answers to answers name the top comment alone"),
        own_posts=yes("the author's channel is the account's (`account`)"),
        media=partly("images in comments"),
        language=partly("videos, where their owner says it"),
        permalinks=partly("comments whose video is told: all but answers that are read by their parent"),
        reply=yes("comments.insert with the top comment as parent; 10,000 characters"),
        limits="10,000 units a day; a page of comments costs 1, an answer 50; stored data refreshed every 30 days",
        proven=("pages of comment threads and of answers", "one thread, one comment", "textOriginal and textDisplay"),
        unproven=("edited comments", "answers within a thread", "live chat", "videos and search results"),
    ),
)
