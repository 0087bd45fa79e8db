"""Bluesky's direct messages (chat.bsky.convo): pages of messages, the log, and lists of conversations."""

from collections.abc import Iterator
from typing import Any, Final

from services.ingest.connector import Account, Ignored, Outcome, Reason, post
from services.ingest.connectors._bluesky_record import spans_of
from services.ingest.payload import ABSENT, Node

_MESSAGES: Final = frozenset({"logCreateMessage", "logDeleteMessage"})


def messages(page: Node, account: Account) -> Iterator[Outcome]:
    """Read getMessages, which does not tell the conversation that was asked for."""
    return (message(each, account) for each in page["messages"])


def logs(page: Node, account: Account) -> Iterator[Outcome]:
    """Read getLog."""
    for each in page["logs"]:
        kind = (each["$type"].text() or "").rpartition("#")[2]
        yield (
            message(each["message"], account, Node({"id": each["convoId"].value}))
            if kind in _MESSAGES
            else Ignored(Reason.NO_POST, f"a log entry of {kind}")
        )


def conversations(page: Node, account: Account) -> Iterator[Outcome]:
    """Read listConvos."""
    return (conversation(each, account) for each in page["convos"])


def conversation(convo: Node, account: Account) -> Outcome:
    """Read the last message of a conversation."""
    return message(convo["lastMessage"], account, convo)


def message(view: Node, account: Account, convo: Node = ABSENT) -> Outcome:
    """Read a message, of a conversation that may be told."""
    sender, kind = view.at("sender", "did").id(), (view["$type"].text() or "").rpartition("#")[2]
    if not sender:
        return Ignored(Reason.NO_POST, f"a {kind or 'conversation without a message'}")
    thread, own = convo["id"].id(), bool(account.id) and sender == account.id
    named = {"network": "bluesky", "kind": "direct_message", "native_id": view["id"].id(), "native_thread_id": thread}
    if "text" not in view:
        return post(**named, change="deleted", own=own)
    return post(
        **named,
        own=own,
        author=_author(sender, convo),
        text=view["text"].text(),
        create_time=view["sentAt"].time(),
        spans=spans_of(view),
    )


def _author(sender: str, convo: Node) -> dict[str, Any]:
    member = next((each for each in convo["members"] if each["did"].id() == sender), ABSENT)
    return {"id": sender, "handle": member["handle"].text(), "display_name": member["displayName"].text()}
