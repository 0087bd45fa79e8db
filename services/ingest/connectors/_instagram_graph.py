"""Comments, posts and messages of Instagram as the Graph API lists them, with the replies inside."""

from collections.abc import Iterator
from typing import Any, Final

from services.ingest.connector import Ignored, Outcome, Reason, post
from services.ingest.connectors._graph_messages import is_conversation, is_message, read_conversation, read_message
from services.ingest.connectors._meta import BARE_ID, Context, Edge, edge_of, items, person, when
from services.ingest.payload import Node

_WRAPPED: Final = ("mentioned_comment", "mentioned_media", "business_discovery")
_LISTS: Final = ("media", "tags", "stories", "conversations", "recent_media", "top_media")
_POST_ONLY: Final = ("caption", "media_type", "media_url", "media_product_type", "children", "shortcode")
_MEDIA: Final = {"IMAGE": "image", "CAROUSEL_ALBUM": "image", "VIDEO": "video", "REELS": "video"}


def read_instagram_node(node: Node, context: Context, edge: Edge) -> Iterator[Outcome]:
    """Read an object, and those inside it."""
    node = next((node[name] for name in _WRAPPED if node[name].is_object()), node)
    lists = [node[name] for name in _LISTS if node.at(name, "data").is_list()]
    for each in lists:
        for inner in items(each["data"]):
            yield from _read(inner, context, edge_of(each))
    if not lists:
        yield from _read(node, context, edge)


def _read(node: Node, context: Context, edge: Edge) -> Iterator[Outcome]:
    if is_conversation(node):
        yield from read_conversation(node, context)
    elif is_message(node) or "created_time" in node:
        yield read_message(node, context)
    elif any(name in node for name in _POST_ONLY):
        yield from _post(node, context)
    elif "text" in node:
        yield from _comment(node, context, edge)
    else:
        yield _unread(node, edge)


def _comment(node: Node, context: Context, edge: Edge, root: str | None = None) -> Iterator[Outcome]:
    """A comment and its replies; a list of comments names in its address what they are below."""
    media = node.at("media", "id").id() or root or (edge.owner if edge.name == "comments" else None)
    name = node["id"].id()
    yield post(
        network=context.network,
        kind="public_comment",
        native_id=name,
        native_thread_id=media,
        native_parent_id=node["parent_id"].id() or (edge.owner if edge.name == "replies" else media),
        own=_is_own(node, context),
        author=_author(node),
        text=node["text"].text(),
        create_time=when(node["timestamp"]),
    )
    for reply in items(node.at("replies", "data")):
        yield from _comment(reply, context, Edge(name, "replies"), media)


def _post(node: Node, context: Context) -> Iterator[Outcome]:
    name = node["id"].id()
    yield post(
        network=context.network,
        kind="public_post",
        native_id=name,
        own=_is_own(node, context),
        author=_author(node),
        text=node["caption"].text(),
        create_time=when(node["timestamp"]),
        permalink=node["permalink"].text(),
        media=list(_media(node)),
    )
    for comment in items(node.at("comments", "data")):
        yield from _comment(comment, context, Edge(name, "comments"), name)


def _media(node: Node) -> Iterator[dict[str, Any]]:
    for each in list(items(node.at("children", "data"))) or [node]:
        url, kind = each["media_url"].text(), each["media_type"].text() or ""
        if url or kind in _MEDIA:
            yield {"kind": _MEDIA.get(kind, "file"), "url": url, "alt_text": each["alt_text"].text()}


def _author(node: Node) -> dict[str, Any]:
    """Who wrote it: `from`, in older versions `user`, of a post its `owner`; often the username alone."""
    writer = node["from"] or node["user"] or node["owner"]
    named = person(writer, id=node["username"].text())
    return named | {"handle": named["handle"] or node["username"].text()}


def _is_own(node: Node, context: Context) -> bool:
    author = _author(node)
    return author["id"] in context.own or author["handle"] in context.own


def _unread(node: Node, edge: Edge) -> Outcome:
    if not node["id"].id() or [name for name, _ in node.members()] != ["id"]:
        return Ignored(Reason.NO_POST, "an object that holds no post")
    return Ignored(Reason.IDS_ONLY) if edge != Edge() else BARE_ID
