"""Telegram: updates of a bot (https://core.telegram.org/bots/api), by webhook or getUpdates.

A message is named by its chat and its number in it. Chats of a connected business account are apart from the bot's own
chats with the same people, so the business connection stands before the names of its chats.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final

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
from services.ingest.connectors._telegram_content import content_of
from services.ingest.payload import Node, read_json
from services.ingest.rawpost import Change
from services.ingest.verification import TELEGRAM

NETWORK: Final = "telegram"
_MESSAGES: Final[dict[str, Change]] = {
    "message": "created",
    "channel_post": "created",
    "business_message": "created",
    "guest_message": "created",
    "edited_message": "edited",
    "edited_channel_post": "edited",
    "edited_business_message": "edited",
}
_GROUPS: Final = {"group", "supergroup"}
_MARK_OF_SUPERGROUPS: Final = "-100"


def normalize(body: bytes, account: Account) -> list[Outcome]:
    """Read an update, the answer of getUpdates, or a bare message."""
    document = read_json(body)
    if document is None or not (document.is_object() or document.is_list()):
        return [MALFORMED]
    if document["ok"].flag() is False:
        return [Ignored(Reason.NO_POST, "an error of the Bot API")]
    updates = document["result"] if document["result"].is_list() else document
    return all_of(
        each for update in (updates if updates.is_list() else [document]) for each in _update(update, account)
    )


def _update(update: Node, account: Account) -> Iterable[Outcome]:
    for name, change in _MESSAGES.items():
        if update[name].is_object():
            return [_message(update[name], change, account)]
    if update["deleted_business_messages"]:
        return _deletions(update["deleted_business_messages"])
    if update["message_id"].id():
        return [_message(update, "created", account)]
    kind = next((name for name, _ in update.members() if name != "update_id"), "nothing")
    return [Ignored(Reason.NO_POST, "an answer of the Bot API" if kind == "ok" else f"an update of {kind}")]


def _message(message: Node, change: Change, account: Account) -> Outcome:
    if not _in_chat(_chat(message), message["message_id"]):
        return Ignored(Reason.NO_ID, "chat.id and message_id name a message")
    own = _is_own(message, account)
    if not own and message.at("from", "is_bot").flag() and not message["sender_chat"]:
        return Ignored(Reason.AUTOMATIC, "another bot wrote it")
    if message["edit_date"] and message.at("location", "live_period"):
        return Ignored(Reason.NO_POST, "somebody moved who shares where they are")
    return _post(message, "edited" if message["edit_date"] else change, own=own)


def _post(message: Node, change: Change, *, own: bool) -> Outcome:
    chat, (text, media, spans) = _chat(message), content_of(message)
    if not text and not media:
        return Ignored(Reason.NO_CONTENT, "a service message, or one of a kind that holds no words")
    return post(
        network=NETWORK,
        kind=_kind(message),
        change=change,
        revision=message["edit_date"].integer() if change == "edited" else None,
        native_id=_in_chat(chat, message["message_id"]),
        native_parent_id=_parent(message, chat),
        native_thread_id=_thread(message, chat),
        own=own,
        author=_author(message),
        text=text,
        create_time=message["date"].seconds(),
        permalink=_permalink(message),
        media=media,
        spans=spans,
    )


def _deletions(deleted: Node) -> Iterator[Outcome]:
    chat = _chat(deleted)
    for number in deleted["message_ids"]:
        yield post(
            network=NETWORK,
            kind="direct_message",
            change="deleted",
            native_id=_in_chat(chat, number),
            native_thread_id=chat,
        )


def _chat(message: Node) -> str | None:
    chat, connection = message.at("chat", "id").id(), message["business_connection_id"].id()
    return f"{connection}:{chat}" if chat and connection else chat


def _in_chat(chat: str | None, number: Node) -> str | None:
    """The name of a message; 0 is one that is yet to be sent."""
    return f"{chat}:{number.id()}" if chat and number.id() not in (None, "0") else None


def _is_private(message: Node) -> bool:
    return message.at("chat", "type").text() == "private"


def _is_own(message: Node, account: Account) -> bool:
    """A private chat has the id of the person in it: a bot or a business that writes there is our side."""
    sender, chat = message.at("from", "id").id(), message.at("chat", "id").id()
    may_be_ours = message.at("from", "is_bot").flag() or message["business_connection_id"]
    if message["sender_business_bot"] or (may_be_ours and _is_private(message) and sender not in (None, chat)):
        return True
    return bool(account.id) and account.id in (sender, message.at("sender_chat", "id").id())


def _kind(message: Node) -> str:
    if _is_private(message) or message.at("chat", "is_direct_messages").flag():
        return "direct_message"
    is_post = message.at("chat", "type").text() == "channel" or message["is_automatic_forward"].flag()
    return "public_post" if is_post else "public_comment"


def _parent(message: Node, chat: str | None) -> str | None:
    elsewhere = message["external_reply"]
    return _in_chat(chat, message.at("reply_to_message", "message_id")) or _in_chat(
        elsewhere.at("chat", "id").id(), elsewhere["message_id"]
    )


def _thread(message: Node, chat: str | None) -> str | None:
    """A private chat is one conversation, and so is a topic; elsewhere a thread is named by its first message."""
    if _is_private(message) and not message["is_topic_message"].flag():
        return chat
    return _in_chat(chat, message.at("direct_messages_topic", "topic_id")) or _in_chat(
        chat, message["message_thread_id"]
    )


def _author(message: Node) -> dict[str, Any] | None:
    """Whoever writes as a chat hides behind it, and Telegram then gives a stand-in as `from`."""
    sender = message["sender_chat"] or message["from"]
    if not sender and message.at("chat", "type").text() not in _GROUPS:
        sender = message["chat"]
    names = (sender["first_name"].text(), sender["last_name"].text(), sender["title"].text())
    return {
        "id": sender["id"].id(),
        "handle": sender["username"].text(),
        "display_name": " ".join(name for name in names if name) or None,
    }


def _permalink(message: Node) -> str | None:
    """Members alone can follow the address of a message in a group without a public name."""
    chat, number = message["chat"], message["message_id"].id()
    if _is_private(message):
        return None
    if name := chat["username"].text():
        return f"https://t.me/{name}/{number}"
    inner = (chat["id"].id() or "").partition(_MARK_OF_SUPERGROUPS)
    return f"https://t.me/c/{inner[2]}/{number}" if inner[2] and not inner[0] else None


CONNECTOR: Final = Connector(
    network=NETWORK,
    title="Telegram",
    transports=("webhook", "poll"),
    normalize=normalize,
    verification=TELEGRAM,
    capabilities=Capabilities(
        edits=yes(
            "edited_message, edited_channel_post, edited_business_message; the revision is the second of the edit"
        ),
        deletes=partly("business chats only: other deletions are never told, so what was said there must be aged out"),
        threads=yes("a private chat is one conversation; topics and comments by message_thread_id; replies"),
        own_posts=yes("our side of a private chat; elsewhere the bot's or channel's id (`account`); no other bots"),
        media=partly("kind and length; a file needs the bot's token to be fetched"),
        language=no("Telegram says the language of the sender's app, not of what they write"),
        permalinks=partly("channels, and groups of more than a few; private chats have none"),
        reply=yes("sendMessage with reply_parameters"),
        limits="about 30 messages/s in all, 1/s in a chat, 20/min in a group; 4,096 characters",
        proven=(
            "text, photo, voice, document, sticker, story",
            "edits of messages and channel posts",
            "business messages",
            "topics",
        ),
        unproven=(
            "deleted_business_messages",
            "a channel post with sender_chat",
            "text in Arabic or Hebrew",
            "rich messages, polls, places, contacts",
        ),
    ),
)
