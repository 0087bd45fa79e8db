"""Web chat: a visitor's message to a page that embeds the widget.

The live endpoint (chat.py) adds session and time, which a message alone does not tell; a widget of somebody else may
send an event "chat.message" that has both.
"""

from collections.abc import Iterator
from typing import Any, Final

from services.ingest.chatbody import parse_chat
from services.ingest.connector import (
    MALFORMED,
    Account,
    Capabilities,
    Connector,
    Ignored,
    Outcome,
    Reason,
    no,
    partly,
    post,
    yes,
)
from services.ingest.connectors._language import language
from services.ingest.connectors._ownshape import invalid
from services.ingest.payload import Node, read_json
from services.ingest.rawpost import Invalid

NETWORK: Final = "web_chat"
_MEDIA: Final = {"image", "video", "audio"}


def normalize(body: bytes, account: Account) -> list[Outcome]:
    """Read a message as the widget posts it, or as an event of a session."""
    message = read_json(body)
    if message is None or not message.is_object():
        return [MALFORMED]
    return [_event(message, account) if "session_id" in message or "type" in message else _posted(body)]


def _posted(body: bytes) -> Outcome:
    """A message by itself: its id stands for the session, which the endpoint alone knows."""
    message = parse_chat(body)
    if isinstance(message, Invalid):
        return invalid(message)
    if message.id is None:
        return Ignored(Reason.NO_ID, "without an id the endpoint gives one; try it with `id`, a UUID")
    return post(
        network=NETWORK,
        kind="chat",
        native_id=str(message.id),
        author={"id": str(message.id), "display_name": message.visitor.name},
        text=message.text,
        language=message.locale,
    )


def _event(message: Node, account: Account) -> Outcome:
    kind = message["type"].text()
    if kind not in (None, "chat.message"):
        return Ignored(Reason.NO_POST, f"an event of type {kind}")
    number, session, visitor = message["id"].id(), message["session_id"].id(), message["visitor"]
    if not number or not session:
        return Ignored(Reason.NO_ID, "session_id and id name a message")
    author = visitor["id"].id() or session
    return post(
        network=NETWORK,
        kind="chat",
        native_id=f"{session}/{number}",
        native_thread_id=session,
        own=bool(account.id) and author == account.id,
        author={"id": author, "display_name": visitor["name"].text()},
        text=message["text"].text(),
        language=language(visitor["locale"]),
        create_time=message["sent_at"].time(),
        media=list(_media(message["attachments"])),
    )


def _media(attachments: Node) -> Iterator[dict[str, Any]]:
    for each in attachments:
        said = (each["content_type"].text() or each["type"].text() or "").partition("/")[0]
        if each.is_object() and each:
            yield {
                "kind": said if said in _MEDIA else "file",
                "url": each["url"].text(),
                "alt_text": each["name"].text(),
            }


CONNECTOR: Final = Connector(
    network=NETWORK,
    title="Web chat",
    transports=("webhook",),
    normalize=normalize,
    capabilities=Capabilities(
        edits=no("a message that was sent stays as it is"),
        deletes=no("a message that was sent stays as it is"),
        threads=yes("a session is one conversation"),
        own_posts=yes("what our side says does not come in here"),
        media=partly("attachments of an event; our own widget sends text"),
        language=partly("the language of the visitor's browser"),
        permalinks=no("a chat has no address"),
        reply=yes("in the same session"),
        limits="16 KiB a message; bursts by session and by address",
        proven=(),
        unproven=("this is our own widget; its messages are made by hand in the tests",),
    ),
)
