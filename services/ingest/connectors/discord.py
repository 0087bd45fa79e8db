"""Discord: dispatches of the gateway, webhook events of an app, and messages as the REST API lists them.

Snowflakes are unique across Discord, so a message's id alone names it. A thread that began with a message has the id
of that message, so the thread's id is its root.
"""

from collections.abc import Iterator
from datetime import datetime
from itertools import chain
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
from services.ingest.connectors._captured import read_captured
from services.ingest.connectors._discord_text import message_media, message_text
from services.ingest.payload import Node
from services.ingest.rawpost import Change
from services.ingest.verification import DISCORD

NETWORK: Final = "discord"
_DISPATCH: Final = 0
_DIRECT_CHANNELS: Final = {1, 3}
_THREAD_CHANNELS: Final = {10, 11, 12}
_DEFAULT, _REPLY, _COMMAND, _CONTEXT_COMMAND = 0, 19, 20, 23
_SAID: Final = frozenset({None, _DEFAULT, _REPLY, _COMMAND, _CONTEXT_COMMAND})
"""Types of messages that somebody wrote; all others tell of joins, pins, boosts, threads, calls."""
_ANSWERING: Final = _SAID - {_DEFAULT}
_FORWARD: Final = 1
_CROSSPOST: Final = 1 << 1
_CHANGES: Final[dict[str, Change]] = {
    "CREATE": "created",
    "UPDATE": "edited",
    "DELETE": "deleted",
}
_SCOPES: Final = {"MESSAGE": "", "LOBBY_MESSAGE": "lobby", "GAME_DIRECT_MESSAGE": "direct"}


class _Told(NamedTuple):
    """What an envelope says of the message in it."""

    change: Change
    account: Account
    scope: str = ""
    at: datetime | None = None
    is_dispatch: bool = False


def normalize(body: bytes, account: Account) -> list[Outcome]:
    """Read a dispatch, a webhook event, a message, or a list of messages."""
    captured = read_captured(body)
    if captured is None or not (captured.document.is_object() or captured.document.is_list()):
        return [MALFORMED]
    return all_of(_outcomes(captured.document, account))


def _outcomes(document: Node, account: Account) -> Iterator[Outcome]:
    if "op" in document:
        yield from _dispatch(document, account)
    elif "application_id" in document and ("event" in document or "version" in document):
        yield from _webhook_event(document["event"], account)
    elif document["message"].text() and not document["id"]:
        yield Ignored(Reason.NO_POST, "an error of the API")
    else:
        for message in _listed(document):
            yield _message(message, _Told("created", account))


def _listed(document: Node) -> Iterator[Node]:
    """The messages of a list, of a search (a list of lists), of a list of pins; or the one message."""
    pages = [each for each in (document, document["messages"], document["items"]) if each.is_list()]
    if not pages:
        yield document
    for each in chain.from_iterable(pages):
        yield from each if each.is_list() else [each["message"] if each["message"].is_object() else each]


def _dispatch(frame: Node, account: Account) -> Iterator[Outcome]:
    name = frame["t"].text() or ""
    scope, _, verb = name.partition("_")
    if frame["op"].integer() != _DISPATCH or scope != "MESSAGE":
        yield Ignored(Reason.NO_POST, f"a frame of op {frame['op'].integer()}, {name or 'no event'}")
    elif verb == "DELETE_BULK":
        for number in frame["d"]["ids"]:
            yield _deleted(number.id(), frame["d"], _Told("deleted", account, is_dispatch=True))
    elif verb in _CHANGES:
        yield _message(frame["d"], _Told(_CHANGES[verb], account, is_dispatch=True))
    else:
        yield Ignored(Reason.NO_POST, f"an event {name}")


def _webhook_event(event: Node, account: Account) -> Iterator[Outcome]:
    name = event["type"].text() or ""
    subject, _, verb = name.rpartition("_")
    if subject not in _SCOPES or verb not in _CHANGES:
        yield Ignored(Reason.NO_POST, f"an event {name}" if name else "a ping or an interaction")
        return
    told = _Told(_CHANGES[verb], account, _SCOPES[subject], event["timestamp"].time())
    yield _message(event["data"], told)


def _message(message: Node, told: _Told) -> Outcome:
    if told.change == "deleted":
        return _deleted(message["id"].id(), message, told)
    if message["type"].integer() not in _SAID:
        return Ignored(Reason.NO_POST, f"a message of type {message['type'].integer()}: nobody wrote it")
    own = _is_own(message, told.account)
    if not own and (message.at("author", "bot").flag() or message["webhook_id"]):
        return Ignored(Reason.AUTOMATIC, "a bot or a webhook wrote it")
    if told.change == "edited" and not _is_edit(message):
        return Ignored(Reason.NO_CONTENT, "an update of something else than what was written")
    return _post(message, told, own=own)


def _is_edit(message: Node) -> bool:
    """Previews, pins and threads are updates too: those of the gateway then have no time of an edit, or no content."""
    return "content" in message and (bool(message["edited_timestamp"]) or "edited_timestamp" not in message)


def _post(message: Node, told: _Told, *, own: bool) -> Outcome:
    edited_at = message["edited_timestamp"].time() or (told.at if told.change == "edited" else None)
    read = message_text(message)
    created_at = message["timestamp"].time() or (told.at if told.change == "created" else None)
    outcome = post(
        network=NETWORK,
        kind=_kind(message, told),
        change=told.change,
        edited_at=edited_at,
        native_id=message["id"].id(),
        native_parent_id=_parent(message),
        native_thread_id=_thread(message, told),
        own=own,
        author=_author(message),
        text=read.text or None,
        create_time=created_at,
        permalink=_permalink(message, told),
        media=message_media(message),
        spans=read.spans,
    )
    if isinstance(outcome, Ignored) and outcome.reason is Reason.NO_CONTENT and message["content"].value == "":
        return Ignored(Reason.NO_CONTENT, "empty: without the MESSAGE_CONTENT intent Discord leaves the content out")
    return outcome


def _deleted(number: str | None, message: Node, told: _Told) -> Outcome:
    return post(
        network=NETWORK,
        kind=_kind(message, told),
        change="deleted",
        native_id=number,
        native_thread_id=_thread(message, told),
    )


def _is_own(message: Node, account: Account) -> bool:
    author = message["author"]
    by_app = message["application_id"].id() == account.id and bool(author["bot"].flag())
    return bool(account.id) and (author["id"].id() == account.id or by_app)


def _is_direct(message: Node, told: _Told) -> bool:
    """The gateway says the guild of every message that has one; the REST API never does."""
    if told.scope or message["channel_type"]:
        return told.scope == "direct" or message["channel_type"].integer() in _DIRECT_CHANNELS
    return told.is_dispatch and not message["guild_id"] and not message["member"]


def _kind(message: Node, told: _Told) -> str:
    return "direct_message" if _is_direct(message, told) else "public_comment"


def _parent(message: Node) -> str | None:
    """What it replies to; forwards, news of followed channels and threads refer to messages as well."""
    reference = message["message_reference"]
    is_answer = message["type"].integer() in _ANSWERING and not (message["flags"].integer() or 0) & _CROSSPOST
    return reference["message_id"].id() if is_answer and reference["type"].integer() != _FORWARD else None


def _thread(message: Node, told: _Told) -> str | None:
    """Only messages in threads have a position there; direct messages are one conversation, and so is a lobby."""
    if thread := message.at("thread", "id").id():
        return thread
    in_thread = "position" in message or message["channel_type"].integer() in _THREAD_CHANNELS
    if in_thread or _is_direct(message, told):
        return message["channel_id"].id()
    return message["lobby_id"].id()


def _author(message: Node) -> dict[str, Any]:
    author = message["author"]
    names = (message.at("member", "nick"), author["global_name"])
    return {
        "id": author["id"].id(),
        "handle": author["username"].text(),
        "display_name": next((name.text() for name in names if name), None),
    }


def _permalink(message: Node, told: _Told) -> str | None:
    guild = message["guild_id"].id() or ("@me" if told.is_dispatch and _is_direct(message, told) else None)
    place = (guild, message["channel_id"].id(), message["id"].id())
    return "/".join(("https://discord.com/channels", *(str(part) for part in place))) if all(place) else None


CONNECTOR: Final = Connector(
    network=NETWORK,
    title="Discord",
    transports=("stream", "webhook"),
    normalize=normalize,
    verification=DISCORD,
    capabilities=Capabilities(
        edits=yes("MESSAGE_UPDATE with content; the revision is the second of the edit; previews and pins are no edit"),
        deletes=yes("MESSAGE_DELETE and MESSAGE_DELETE_BULK of the gateway; LOBBY_ and GAME_DIRECT_MESSAGE_DELETE"),
        threads=yes("the thread's id is its first message's; replies by message_reference; a direct channel is one"),
        own_posts=yes("the bot's user id or the application's id (`account`); other bots and webhooks are ignored"),
        media=yes("attachments with address, kind, alternative text and length; stickers by name"),
        language=no("the language must be recognised from the text"),
        permalinks=partly("messages of the gateway; the REST API does not say the server"),
        reply=yes("create message with message_reference"),
        limits="50 requests/s in all; 2,000 characters; 25 MiB; content needs the MESSAGE_CONTENT intent",
        proven=(
            "a message as the REST API gives it",
            "a minimal MESSAGE_CREATE",
            "lobby and game messages (documented)",
        ),
        unproven=("a full MESSAGE_UPDATE", "MESSAGE_DELETE", "threads", "forwards", "voice messages", "polls"),
    ),
)
