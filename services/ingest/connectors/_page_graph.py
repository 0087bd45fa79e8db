"""Posts, comments and reviews of Facebook pages as the Graph API lists them, with the comments inside."""

import re
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from services.ingest.connector import Ignored, Outcome, Reason, post
from services.ingest.connectors._meta import BARE_ID, Context, Edge, edge_of, items, person, when
from services.ingest.payload import Node

_LISTS: Final = ("feed", "posts", "published_posts", "visitor_posts", "tagged", "ratings")
_COMMENT_ONLY: Final = ("comment_count", "like_count", "can_comment", "can_like", "can_remove", "attachment", "parent")
_REVIEW_ONLY: Final = ("recommendation_type", "review_text", "reviewer", "has_review")
_CONTENT: Final = ("message", "attachments", "full_picture", "story", "created_time", "comments")
_POST_ADDRESS: Final = re.compile(r"facebook\.com/(\d{1,30})/(?:posts|videos|photos)/(\d{1,30})")
_COMMENT_ID: Final = re.compile(r"[?&]comment_id=(\d{1,30})")
_REPLY_ID: Final = re.compile(r"[?&]reply_comment_id=(\d{1,30})")


class Place(NamedTuple):
    """Where a comment was found: below which post, and in answer to what."""

    root: str | None = None
    parent: str | None = None


_NOWHERE: Final = Place()


def read_page_node(node: Node, context: Context, edge: Edge) -> Iterator[Outcome]:
    """Read an object of the Graph API, and those inside it."""
    lists = [node[name] for name in _LISTS if node.at(name, "data").is_list()]
    if lists and "message" not in node:
        for each in lists:
            for inner in items(each["data"]):
                yield from _read(inner, context, edge_of(each), _NOWHERE)
    else:
        yield from _read(node, context, edge, _NOWHERE)


def _read(node: Node, context: Context, edge: Edge, place: Place) -> Iterator[Outcome]:
    if any(name in node for name in _REVIEW_ONLY):
        yield _review(node, context)
    elif _is_comment(node, edge):
        comment = _comment_fields(node, context, edge, place)
        yield _said(node, context, comment)
        yield from _comments(node, context, Place(comment["native_thread_id"], comment["native_id"]))
    elif any(name in node for name in _CONTENT):
        yield _said(node, context, {"kind": "public_post", "native_id": node["id"].id()})
        yield from _comments(node, context, Place(node["id"].id(), node["id"].id()))
    else:
        yield _unread(node, edge)


def tags(node: Node) -> Iterator[dict[str, Any]]:
    """Who is mentioned in the text; Facebook counts code points."""
    for tag in node["message_tags"]:
        start, length = tag["offset"].integer(), tag["length"].integer()
        if start is not None and length is not None:
            yield {"kind": "mention", "start": start, "end": start + length, "target": tag["id"].id()}


def _said(node: Node, context: Context, fields: dict[str, Any]) -> Outcome:
    author = node["from"]
    return post(
        network=context.network,
        own=author["id"].id() in context.own,
        author=person(author),
        text=node["message"].text(),
        create_time=when(node["created_time"]),
        permalink=node["permalink_url"].text(),
        media=list(_media(node)),
        spans=list(tags(node)),
        **fields,
    )


def _review(node: Node, context: Context) -> Outcome:
    return post(
        network=context.network,
        kind="review",
        native_id=node.at("open_graph_story", "id").id() or node["id"].id(),
        author=person(node["reviewer"]),
        text=node["review_text"].text(),
        create_time=when(node["created_time"]),
        rating=node["rating"].number(),
    )


def _comments(node: Node, context: Context, place: Place) -> Iterator[Outcome]:
    for each in items(node.at("comments", "data")):
        yield from _read(each, context, Edge(place.parent, "comments"), place)


def _is_comment(node: Node, edge: Edge) -> bool:
    address = node["permalink_url"].text() or ""
    named = edge.name == "comments" and ("message" in node or "created_time" in node)
    return named or "comment_id=" in address or any(name in node for name in _COMMENT_ONLY)


def _comment_fields(node: Node, context: Context, edge: Edge, place: Place) -> dict[str, Any]:
    """The ids of a comment, also where only its address tells them: a comment is named {post}_{comment}."""
    address = node["permalink_url"].text() or ""
    post_address = _POST_ADDRESS.search(address)
    page, below = post_address.groups() if post_address else (None, None)
    below = (node["id"].id() or "").rpartition("_")[0] or below
    comment, reply = _found(_COMMENT_ID, address), _found(_REPLY_ID, address)
    root = place.root or _root(page, below, context, edge)
    named = f"{below}_{reply or comment}" if below and comment else None
    answered = f"{below}_{comment}" if below and comment and reply else root if comment else None
    return {
        "kind": "public_comment",
        "native_id": node["id"].id() or named,
        "native_thread_id": root,
        "native_parent_id": node.at("parent", "id").id() or place.parent or answered,
    }


def _root(page: str | None, below: str | None, context: Context, edge: Edge) -> str | None:
    """The id of the post that a comment stands below: {page}_{post}."""
    if below is None or "_" in below:
        return None
    if page:
        return f"{page}_{below}"
    if edge.owner and edge.owner.endswith(f"_{below}"):
        return edge.owner
    ours = [each for each in context.own if each.isdigit()]
    return f"{ours[0]}_{below}" if len(ours) == 1 else None


def _found(pattern: "re.Pattern[str]", address: str) -> str | None:
    found = pattern.search(address)
    return found[1] if found else None


def _media(node: Node) -> Iterator[dict[str, Any]]:
    attachments = list(items(node.at("attachments", "data"))) or list(items(node["attachment"]))
    if not attachments and node["full_picture"].text():
        yield {"kind": "image", "url": node["full_picture"].text()}
    for attachment in attachments:
        for each in list(items(attachment.at("subattachments", "data"))) or [attachment]:
            yield from _attached(each)


def _attached(attachment: Node) -> Iterator[dict[str, Any]]:
    """A photo or a video; the preview of a shared page is neither."""
    kind = f"{attachment['media_type'].text() or ''} {attachment['type'].text() or ''}"
    media = attachment["media"]
    if "video" in kind:
        yield {"kind": "video", "url": media["source"].text() or attachment["url"].text()}
    elif any(name in kind for name in ("photo", "sticker", "animated_image", "album", "image")):
        yield {"kind": "image", "url": media.at("image", "src").text()}


def _unread(node: Node, edge: Edge) -> Outcome:
    if not node["id"].id() or [name for name, _ in node.members()] != ["id"]:
        return Ignored(Reason.NO_POST, "an object that holds no post")
    return Ignored(Reason.IDS_ONLY) if edge != Edge() else BARE_ID
