"""Messages and conversations as the Graph API lists them, for Messenger and Instagram."""

from collections.abc import Iterator
from typing import Any, Final

from services.ingest.connector import Ignored, Outcome, Reason, post
from services.ingest.connectors._meta import Context, items, lines, person, when
from services.ingest.payload import Node

_MESSAGE_IDS: Final = ("m_", "mid.", "aWdf")
_CONVERSATION: Final = ("messages", "message_count", "snippet", "participants")
_FILES: Final = {"image_data": "image", "video_data": "video", "audio_data": "audio"}


def is_conversation(node: Node) -> bool:
    """Whether an object is a conversation, with or without its messages."""
    return (node["id"].text() or "").startswith("t_") or any(name in node for name in _CONVERSATION)


def is_message(node: Node) -> bool:
    """Whether an object can be nothing but a message."""
    return "to" in node or (node["id"].text() or "").startswith(_MESSAGE_IDS)


def read_conversation(node: Node, context: Context) -> Iterator[Outcome]:
    """Read the messages that a conversation was asked for."""
    found = list(items(node.at("messages", "data")))
    if not found:
        yield Ignored(Reason.IDS_ONLY, "a conversation without its messages")
    for each in found:
        yield read_message(each, context)


def read_message(node: Node, context: Context) -> Outcome:
    """Read one message; where we do not know ourselves, its writer counts as the other side."""
    if "message" not in node and "from" not in node and not node["attachments"]:
        return Ignored(Reason.IDS_ONLY, "a message without its content")
    sender = node.at("from", "id").id()
    own = sender in context.own
    receiver = node.at("to", "data", 0, "id").id()
    shared = (lines(each["name"].text(), each["link"].text()) for each in items(node.at("shares", "data")))
    return post(
        network=context.network,
        kind="direct_message",
        native_id=node["id"].id(),
        native_parent_id=node.at("reply_to", "mid").id() or node.at("story", "reply_to", "id").id(),
        native_thread_id=receiver if own else sender,
        own=own,
        author=person(node["from"]),
        text=node["message"].text() or lines(*shared),
        create_time=when(node["created_time"]),
        media=list(_media(node)),
    )


def _media(node: Node) -> Iterator[dict[str, Any]]:
    for attachment in items(node.at("attachments", "data")):
        yield _file(attachment)
    if node["sticker"].text():
        yield {"kind": "image", "url": node["sticker"].text()}
    if node.at("story", "mention", "link").text():
        yield {"kind": "file", "url": node.at("story", "mention", "link").text()}


def _file(attachment: Node) -> dict[str, Any]:
    for name, kind in _FILES.items():
        if attachment[name].is_object():
            seconds = attachment.at(name, "length").integer()
            return {"kind": kind, "url": attachment.at(name, "url").text(), "duration_seconds": seconds}
    kind = (attachment["mime_type"].text() or "").partition("/")[0]
    url = attachment["file_url"].text()
    return {"kind": kind if kind in _FILES.values() else "file", "url": url}
