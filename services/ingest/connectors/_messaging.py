"""Messages to a Facebook page or an Instagram account, as webhooks tell them."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, TypeAlias

from services.ingest.connector import Account, Ignored, Outcome, Reason, post
from services.ingest.connectors._meta import Context, changes, context_of, entries, items, lines, when
from services.ingest.payload import Node

ReadChange: TypeAlias = Callable[[str, Node, Context], Iterable[Outcome]]
"""Reads a change that is no message, by its field."""

_MEDIA: Final = {"image": "image", "sticker": "image", "animated_image_share": "image", "audio": "audio"} | {
    "video": "video",
    "reel": "video",
    "ig_reel": "video",
}
_WITHOUT_FILE: Final = {"fallback", "location", "template"}
_FRAME: Final = {"sender", "recipient", "timestamp", "hop_context", "prior_message", "is_self"}


def read_deliveries(document: Node, network: str, account: Account, read_change: ReadChange) -> Iterator[Outcome]:
    """Read every entry: messages, those that another app answers (`standby`), and changes."""
    for entry in entries(document):
        context = context_of(network, account, entry)
        for event in (*items(entry["messaging"]), *items(entry["standby"])):
            yield read_event(event, context)
        for field, value in changes(entry):
            if value["sender"].is_object():
                yield read_event(value, context)
            else:
                yield from read_change(field, value, context)


def read_event(event: Node, context: Context) -> Outcome:
    """Read one event of a conversation."""
    for name, read in _READERS.items():
        if event[name].is_object():
            return read(event, event[name], context)
    kind = next((name for name, _ in event.members() if name not in _FRAME), "nothing")
    return Ignored(Reason.NO_POST, f"an event of {kind}")


def _message(event: Node, message: Node, context: Context) -> Outcome:
    attachments = list(items(message["attachments"]))
    if message["is_deleted"].flag():
        return _post(event, message, context, change="deleted")
    text = message["text"].text() or lines(*(_words(each) for each in attachments))
    media = list(_media(attachments))
    if not text and not media:
        return Ignored(Reason.NO_CONTENT, "a message of a kind that the network does not hand on")
    reply = message["reply_to"]
    return _post(
        event,
        message,
        context,
        native_parent_id=reply["mid"].id() or reply.at("story", "id").id(),
        text=text,
        language=_language(message),
        media=media,
    )


def _edit(event: Node, edit: Node, context: Context) -> Outcome:
    """An edited message; the network counts its edits, of which the first makes the second version."""
    if edit["text"].text() is None:
        return Ignored(Reason.IDS_ONLY, "an edit without the new text")
    count = edit["num_edit"].integer()
    version = {"edited_at": context.time} if count is None else {"revision": count + 1}
    return _post(event, edit, context, change="edited", **version, text=edit["text"].text())


def _postback(event: Node, postback: Node, context: Context) -> Outcome:
    """A button that somebody tapped: its title stands in the conversation as what they said."""
    title = postback["title"].text()
    if not title:
        return Ignored(Reason.NO_CONTENT, "a button without its title")
    return _post(event, postback, context, text=title)


_READERS: Final[dict[str, Callable[[Node, Node, Context], Outcome]]] = {
    "message": _message,
    "message_edit": _edit,
    "postback": _postback,
}


def _post(event: Node, said: Node, context: Context, **fields: Any) -> Outcome:  # noqa: ANN401 - as `post` takes them
    sender = _side(event["sender"])
    own = said["is_echo"].flag() is True or sender in context.own
    written = (
        {} if fields.get("change") == "deleted" else {"author": {"id": sender}, "create_time": when(event["timestamp"])}
    )
    return post(
        network=context.network,
        kind="direct_message",
        native_id=said["mid"].id(),
        native_thread_id=_thread(event, context, own=own),
        own=own,
        **written,
        **fields,
    )


def _thread(event: Node, context: Context, *, own: bool) -> str | None:
    """The id that the person has for this account, on whichever side of the message they stand."""
    sides = (_side(event["sender"]), _side(event["recipient"]))
    return next((each for each in (reversed(sides) if own else sides) if each and each not in context.own), None)


def _side(party: Node) -> str | None:
    return party["id"].id() or party["user_ref"].id()


def _language(message: Node) -> str | None:
    """What Meta's built-in language detection says, such as "de_DE"."""
    locale = message.at("nlp", "detected_locales", 0, "locale").text()
    return locale.split("_")[0] if locale else None


def _media(attachments: list[Node]) -> Iterator[dict[str, Any]]:
    """What is attached, each file once: a sticker is told as an image and as a sticker."""
    seen = set()
    for attachment in attachments:
        kind, url = attachment["type"].text() or "", attachment.at("payload", "url").text()
        is_file = kind not in _WITHOUT_FILE and (url or kind in _MEDIA)
        name = attachment.at("payload", "sticker_id").id() or url
        if is_file and (name is None or name not in seen):
            seen.add(name)
            yield {"kind": _MEDIA.get(kind, "file"), "url": url}


def _words(attachment: Node) -> str | None:
    """What people read in an attachment that is no file: a shared link, a place, a product."""
    payload, title = attachment["payload"], attachment["title"].text()
    match attachment["type"].text():
        case "fallback":
            return lines(title or payload["title"].text(), attachment["url"].text() or payload["url"].text())
        case "location":
            latitude, longitude = (payload.at("coordinates", name).number() for name in ("lat", "long"))
            return lines(title, f"{latitude}, {longitude}" if latitude is not None and longitude is not None else None)
        case "template":
            elements = payload["elements"] or payload.at("product", "elements")
            return lines(payload["text"].text(), *(each["title"].text() for each in elements))
        case _:
            return None
