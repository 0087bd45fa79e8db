"""WhatsApp: messages to a business number of the Cloud API, by webhook."""

from collections.abc import Iterable, Iterator
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
    no,
    partly,
    post,
    yes,
)
from services.ingest.connectors._meta import GRAPH_ERROR, changes, entries, items, read_documents, when
from services.ingest.connectors._whatsapp_content import kind_of, media, words
from services.ingest.payload import ABSENT, Node
from services.ingest.verification import META

NETWORK: Final = "whatsapp"
_NO_POST: Final = {
    "reaction": "a reaction",
    "system": "a notice of a changed number or id",
    "request_welcome": "a chat was opened",
    "call_permission_reply": "an answer to a request for calls",
}
_HIDDEN: Final = {"unsupported", "unknown", "media_placeholder", "errors"}


class Value(NamedTuple):
    """What a delivery says for all of its messages."""

    number: str | None
    """The id of the business number, which is one side of every conversation."""
    own: frozenset[str]
    """How the business number may be written as a sender."""
    contacts: tuple[Node, ...]


def normalize(body: bytes, account: Account) -> list[Outcome]:
    """Read a delivery of webhooks, or what stands in one."""
    documents = read_documents(body)
    if not documents:
        return [MALFORMED]
    return all_of(each for document in documents for each in _document(document, account))


def _document(document: Node, account: Account) -> Iterator[Outcome]:
    if document["error"].is_object():
        yield GRAPH_ERROR
    for entry in entries(document):
        for field, content in changes(entry):
            yield from _content(field, content, account)
    if "entry" not in document and document["messages"].is_list():
        yield from _content("messages", document, account)


def _content(field: str, content: Node, account: Account) -> Iterator[Outcome]:
    number, shown = content.at("metadata", "phone_number_id").id(), content.at("metadata", "display_phone_number").id()
    own = frozenset(filter(None, (account.id, number, shown)))
    value = Value(number, own, tuple(items(content["contacts"])))
    found = [
        *(_message(each, value) for each in items(content["messages"])),
        *(_message(each, value, echo=True) for each in items(content["message_echoes"])),
        *_history(content, value),
        *(Ignored(Reason.NO_POST, f"a status: {each['status'].text()}") for each in items(content["statuses"])),
    ]
    yield from found or [Ignored(Reason.NO_POST, f"a change of {field}")]


def _history(content: Node, value: Value) -> Iterable[Outcome]:
    """What was said before the number was connected: chunks of conversations, each named by the person."""
    for chunk in items(content["history"]):
        for thread in items(chunk["threads"]):
            who = {"wa_id": thread["id"].id(), "user_id": thread.at("context", "user_id").id()}
            with_person = value._replace(contacts=(Node(who),))
            yield from (_message(each, with_person) for each in items(thread["messages"]))


def _message(message: Node, value: Value, *, echo: bool = False) -> Outcome:
    kind = kind_of(message)
    if kind == "interactive" and message.at("interactive", "type").text() in _NO_POST:
        kind = message.at("interactive", "type").text()
    if kind is None:
        return Ignored(Reason.NO_POST, "the answer of the API to a message of ours")
    if kind in _NO_POST:
        return Ignored(Reason.NO_POST, _NO_POST[kind])
    if kind in _HIDDEN:
        return Ignored(Reason.NO_CONTENT, "a message of a kind that WhatsApp does not hand on")
    if kind == "revoke":
        return post(
            **_frame(message, value, echo=echo),
            change="deleted",
            native_id=message.at("revoke", "original_message_id").id(),
        )
    if kind == "edit":
        return _edit(message, value, echo=echo)
    return post(
        **_frame(message, value, echo=echo),
        **_said(message, message, value, echo=echo),
        native_id=message["id"].id(),
    )


def _edit(message: Node, value: Value, *, echo: bool) -> Outcome:
    """The whole message anew, under the id of the first; the second of the edit is the revision."""
    return post(
        **_frame(message, value, echo=echo),
        **_said(message, message.at("edit", "message"), value, echo=echo),
        change="edited",
        native_id=message.at("edit", "original_message_id").id(),
        edited_at=when(message["timestamp"]),
    )


def _frame(message: Node, value: Value, *, echo: bool) -> dict[str, Any]:
    return {
        "network": NETWORK,
        "kind": "direct_message",
        "native_thread_id": _thread(message, value, echo=echo),
        "own": echo or message["from"].id() in value.own,
    }


def _said(message: Node, content: Node, value: Value, *, echo: bool) -> dict[str, Any]:
    kind = kind_of(content)
    return {
        "native_parent_id": content.at("context", "id").id() or message.at("context", "id").id(),
        "author": _author(message, value, echo=echo),
        "text": words(content, kind),
        "create_time": when(message["timestamp"]),
        "media": media(content, kind),
    }


def _thread(message: Node, value: Value, *, echo: bool) -> str | None:
    """A group, or the person and the number that they write to: a business may have several numbers."""
    group = message["group_id"].id()
    if group:
        return group
    ours = echo or message["from"].id() in value.own
    someone = _person(message, value, "to" if ours else "from")
    return f"{value.number}:{someone}" if value.number and someone else someone


def _author(message: Node, value: Value, *, echo: bool) -> dict[str, Any]:
    if echo or message["from"].id() in value.own:
        return {"id": message["from"].id()}
    contact = _contact(message, value, "from")
    named = _person(message, value, "from")
    phone = message["from"].id() or contact["wa_id"].id()
    return {
        "id": named,
        "handle": contact.at("profile", "username").text() or (phone if phone != named else None),
        "display_name": contact.at("profile", "name").text(),
    }


def _person(message: Node, value: Value, side: str) -> str | None:
    """Who it is for this business: by the id that stays when people hide their phone number, else by the number."""
    contact = _contact(message, value, side)
    user = message[f"{side}_user_id"].id() or contact["user_id"].id()
    return user or message[side].id() or contact["wa_id"].id()


def _contact(message: Node, value: Value, side: str) -> Node:
    """The contact that the message names, or the only one, as some numbers are written in two ways."""
    named = {message[side].id(), message[f"{side}_user_id"].id()} - {None}
    matching = (each for each in value.contacts if {each["wa_id"].id(), each["user_id"].id()} & named)
    return next(matching, value.contacts[0] if len(value.contacts) == 1 else ABSENT)


CONNECTOR: Final = Connector(
    network=NETWORK,
    title="WhatsApp Cloud API",
    transports=("webhook",),
    normalize=normalize,
    verification=META,
    capabilities=Capabilities(
        edits=yes("type edit; the revision is the second of the edit"),
        deletes=yes("type revoke"),
        threads=yes("a person and the business number, or group_id; context.id is the parent"),
        own_posts=yes("message_echoes: what was sent in the WhatsApp Business app"),
        media=partly("kind; a file needs the token to be fetched, where no url is given"),
        language=no("never told"),
        permalinks=no("conversations have none"),
        reply=yes("POST /{phone-number-id}/messages within 24 h of the person's last message, later templates only"),
        limits="80 messages/s; 4,096 characters",
        proven=(
            "text, image, video, voice, place, contact card, button",
            "an advertisement's referral, a forwarded message, people known by user_id",
            "reactions, statuses and answers of the API",
        ),
        unproven=("edit and revoke", "people without a phone number", "groups", "echoes and history", "orders, forms"),
    ),
)
