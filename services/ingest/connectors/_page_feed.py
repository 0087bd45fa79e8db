"""What happens on a Facebook page, as webhooks tell it: the fields feed, mention and ratings."""

from collections.abc import Iterator
from typing import Any, Final

from services.ingest.connector import Ignored, Outcome, Reason, post
from services.ingest.connectors._meta import Context, person, when
from services.ingest.connectors._page_graph import tags
from services.ingest.payload import Node
from services.ingest.rawpost import Change

_FIELDS: Final = {"feed", "mention", "ratings"}
_POSTS: Final = {"post", "status", "photo", "video", "share", "link", "note", "album", "live_video", "reel", "story"}
_CHANGES: Final[dict[str, Change]] = {
    "add": "created",
    "edit": "edited",
    "edited": "edited",
    "update": "edited",
    "remove": "deleted",
}


def read_page_change(field: str, value: Node, context: Context) -> Iterator[Outcome]:
    """Read a change of a page; what is hidden or shown again stays as it was said."""
    item, verb = value["item"].text() or "", value["verb"].text() or "add"
    change = _CHANGES.get(verb)
    if field == "conversations":
        yield Ignored(Reason.IDS_ONLY, "a conversation without its messages")
    elif field not in _FIELDS:
        yield Ignored(Reason.NO_POST, f"a change of {field}")
    elif change is None or item not in _POSTS | {"comment", "rating"}:
        yield Ignored(Reason.NO_POST, f"{item or 'something'}: {verb}")
    elif item == "rating":
        yield _rating(value, context, change)
    else:
        yield _said(value, context, change, _places(field, value) if item == "comment" else _post_of(value))


def _said(value: Node, context: Context, change: Change, places: dict[str, Any]) -> Outcome:
    media = list(_media(value))
    if change != "deleted" and not media and value["message"].value is None:
        return Ignored(Reason.IDS_ONLY, "a post without its content")
    author = value["from"]["id"].id() or value["sender_id"].id()
    return post(
        **places,
        **_written(value, context, change, person(value["from"], id=author, name=value["sender_name"].text())),
        own=author in context.own,
        text=_unless_deleted(change, value["message"].text()),
        permalink=value["permalink_url"].text(),
        media=[] if change == "deleted" else media,
        spans=[] if change == "deleted" else list(tags(value)),
    )


def _rating(value: Node, context: Context, change: Change) -> Outcome:
    """A review; its stars are absent in recommendations, which only say yes or no."""
    return post(
        **_written(
            value,
            context,
            change,
            person(value["reviewer"], id=value["reviewer_id"].id(), name=value["reviewer_name"].text()),
        ),
        kind="review",
        native_id=value["open_graph_story_id"].id(),
        text=_unless_deleted(change, value["review_text"].text()),
        rating=value["rating"].number() if change != "deleted" else None,
    )


def _post_of(value: Node) -> dict[str, Any]:
    return {"kind": "public_post", "native_id": value["post_id"].id()}


def _places(field: str, value: Node) -> dict[str, Any]:
    """Where a comment stands. Below a review the story is the thread, as it is the review's own id."""
    thread, parent = value["post_id"].id(), value["parent_id"].id()
    if field == "ratings" and thread:
        story = thread.rpartition("_")[2]
        thread, parent = story, story if parent == thread else parent
    return {
        "kind": "public_comment",
        "native_id": value["comment_id"].id(),
        "native_thread_id": thread,
        "native_parent_id": parent,
    }


def _written(value: Node, context: Context, change: Change, author: dict[str, Any]) -> dict[str, Any]:
    """Who and when; without a time of its own, a post is as old as the delivery that tells of it."""
    frame = {"network": context.network, "change": change}
    if change == "deleted":
        return frame
    return frame | {
        "author": author,
        "create_time": when(value["created_time"]) or context.time,
        "edited_at": context.time if change == "edited" else None,
    }


def _unless_deleted(change: Change, text: str | None) -> str | None:
    return None if change == "deleted" else text


def _media(value: Node) -> Iterator[dict[str, Any]]:
    """Photos and videos, by their addresses; `link` is one of them in posts that are nothing else."""
    item, link = value["item"].text(), value["link"].text()
    images = [value["photo"].text(), *(each.text() for each in value["photos"]), link if item == "photo" else None]
    videos = [value["video"].text(), link if item in {"video", "live_video", "reel"} else None]
    yield from ({"kind": "image", "url": url} for url in dict.fromkeys(filter(None, images)))
    yield from ({"kind": "video", "url": url} for url in dict.fromkeys(filter(None, videos)))
