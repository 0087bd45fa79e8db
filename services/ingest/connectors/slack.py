"""Slack: events of an app (https://docs.slack.dev/reference/events), and messages read from a channel's history.

A message is named by its channel and `ts`. A page of conversations.history does not name its channel: who polls adds
it as `channel`; without it `ts` alone is the name.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
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
from services.ingest.connectors._slack_text import message_text
from services.ingest.payload import Node, read_json
from services.ingest.rawpost import Change
from services.ingest.verification import SLACK

NETWORK: Final = "slack"
_FORMS: Final = (b"payload=", b"token=", b"command=")
_SAID: Final = frozenset({None, "file_share", "me_message", "thread_broadcast", "bot_message"})
"""Subtypes of what somebody wrote; all others tell of a channel: who joined, what it is called, what is pinned."""
_CONVERSATIONS: Final = {"im", "mpim"}
_SLACKBOT: Final = "USLACKBOT"
_GONE_FILES: Final = {"tombstone", "hidden_by_limit"}


class _Place(NamedTuple):
    """What an envelope says of the messages in it."""

    channel: str | None
    channel_type: str | None
    app: str | None
    account: Account

    def name(self, ts: str | None) -> str | None:
        return f"{self.channel}:{ts}" if self.channel and ts else ts

    def is_conversation(self) -> bool:
        return self.channel_type in _CONVERSATIONS or (not self.channel_type and (self.channel or "").startswith("D"))


def normalize(body: bytes, account: Account) -> list[Outcome]:
    """Read an event with or without its envelopes, a page of a history, or a page of search results."""
    if body.startswith(_FORMS):
        return [Ignored(Reason.NO_POST, "a form: an interaction or a slash command")]
    document = read_json(body)
    if document is None or not (document.is_object() or document.is_list()):
        return [MALFORMED]
    document = document["payload"] if document["envelope_id"] else document
    if document["ok"].flag() is False:
        return [Ignored(Reason.NO_POST, "an error of the Web API")]
    return all_of(_outcomes(document, account))


def _outcomes(document: Node, account: Account) -> Iterator[Outcome]:
    page = document if document.is_list() else document["messages"]["matches"] or document["messages"]
    if page.is_list():
        for message in page:
            yield _event(message, _place(message if message["channel"] else document, document, account))
    elif document["ok"]:
        yield Ignored(Reason.NO_POST, "an answer of the Web API")
    elif document["event"].is_object():
        yield _event(document["event"], _place(document["event"], document, account))
    else:
        yield _event(document, _place(document, document, account))


def _place(event: Node, envelope: Node, account: Account) -> _Place:
    channel = event["channel"].id() or event.at("channel", "id").id()
    return _Place(channel, event["channel_type"].text(), envelope["api_app_id"].id(), account)


def _event(event: Node, place: _Place) -> Outcome:
    kind, subtype = event["type"].text(), event["subtype"].text()
    if kind not in ("message", "app_mention") and not (kind is None and event["ts"]):
        return Ignored(Reason.NO_POST, f"an event of type {kind}")
    if subtype in _LATER:
        return _LATER[subtype](event, place)
    if subtype == "ekm_access_denied":
        return Ignored(Reason.ENCRYPTED, "the workspace withdrew the key of its messages")
    if subtype not in _SAID:
        return Ignored(Reason.NO_POST, f"a message of subtype {subtype}")
    change: Change = "edited" if event["edited"] else "created"
    return _message(event, event["ts"].id(), place, change, event.at("edited", "ts").seconds())


def _withdrawn(event: Node, place: _Place) -> Outcome:
    return _deleted(event["deleted_ts"].id(), event["previous_message"], place)


def _buried(message: Node, place: _Place) -> Outcome:
    """What stands at the head of a thread in place of its first message."""
    return _deleted(message["ts"].id(), message, place)


def _changed(event: Node, place: _Place) -> Outcome:
    message, before = event["message"], event["previous_message"]
    ts = message["ts"].id() or before["ts"].id()
    if message["subtype"].text() == "tombstone":
        return _deleted(ts, message, place)
    if before and all(message[part].value == before[part].value for part in ("text", "files", "edited")):
        return Ignored(Reason.NO_POST, "a preview or a thread changed, no words")
    edited_at = message.at("edited", "ts").seconds() or event["event_ts"].seconds() or event["ts"].seconds()
    return _message(message, ts, place, "edited", edited_at)


def _deleted(ts: str | None, message: Node, place: _Place) -> Outcome:
    return post(
        network=NETWORK,
        kind=_kind(place),
        change="deleted",
        native_id=place.name(ts or message["ts"].id()),
        native_thread_id=_thread(message, place),
    )


def _message(message: Node, ts: str | None, place: _Place, change: Change, edited_at: datetime | None) -> Outcome:
    own = _is_own(message, place)
    is_bot = message["bot_id"] or message["subtype"].text() == "bot_message" or message["user"].text() == _SLACKBOT
    if is_bot and not own:
        return Ignored(Reason.AUTOMATIC, "another app wrote it")
    read, root = message_text(message), message["thread_ts"].id()
    return post(
        network=NETWORK,
        kind=_kind(place),
        change=change,
        edited_at=edited_at,
        native_id=place.name(ts),
        native_parent_id=place.name(root) if root != ts else None,
        native_thread_id=_thread(message, place),
        own=own,
        author=_author(message),
        text=read.text or None,
        create_time=Node(ts).seconds(),
        permalink=message["permalink"].text(),
        media=list(_media(message)),
        spans=read.spans,
    )


_LATER: Final[dict[str | None, Callable[[Node, _Place], Outcome]]] = {
    "message_changed": _changed,
    "message_deleted": _withdrawn,
    "tombstone": _buried,
}
"""Subtypes that tell what became of an earlier message."""


def _is_own(message: Node, place: _Place) -> bool:
    app = message["app_id"].id() or message.at("bot_profile", "app_id").id()
    names = {message["user"].id(), message["bot_id"].id(), app}
    return (bool(place.account.id) and place.account.id in names) or (app is not None and app == place.app)


def _kind(place: _Place) -> str:
    return "direct_message" if place.is_conversation() else "public_comment"


def _thread(message: Node, place: _Place) -> str | None:
    """A thread has its root; outside of one, direct messages are one conversation."""
    root = message["thread_ts"].id()
    return place.name(root) or (place.channel if place.is_conversation() else None)


def _author(message: Node) -> dict[str, Any]:
    person, bot = message["user_profile"], message["bot_profile"]
    names = (person["display_name"], person["real_name"], bot["name"])
    return {
        "id": message["user"].id() or message["bot_id"].id(),
        "handle": person["name"].text() or message["username"].text(),
        "display_name": next((name.text() for name in names if name), None),
    }


def _media(message: Node) -> Iterator[dict[str, Any]]:
    """Files, whose addresses need the app's token."""
    for file in message["files"]:
        if file["mode"].text() in _GONE_FILES or not file.is_object():
            continue
        milliseconds = file["duration_ms"].integer()
        yield {
            "kind": _media_kind(file["mimetype"].text() or ""),
            "url": file["url_private"].text(),
            "alt_text": file["alt_txt"].text(),
            "duration_seconds": milliseconds // 1000 if milliseconds is not None else None,
            "transcript": file.at("transcription", "preview", "content").text(),
        }


def _media_kind(mime_type: str) -> str:
    general = mime_type.partition("/")[0]
    return general if general in ("image", "video", "audio") else "file"


CONNECTOR: Final = Connector(
    network=NETWORK,
    title="Slack",
    transports=("webhook", "poll"),
    normalize=normalize,
    verification=SLACK,
    capabilities=Capabilities(
        edits=yes("message_changed; the revision is the second of the edit; added previews are no edit"),
        deletes=yes("message_deleted, and the tombstone of a thread's first message"),
        threads=yes("thread_ts; a direct conversation is one thread"),
        own_posts=yes("the app's id, or the user, bot or app id in `account`; other bots are ignored"),
        media=partly("kind, address and transcript of files; an address needs the app's token to be fetched"),
        language=no("the language must be recognised from the text"),
        permalinks=partly("in search results; events have none"),
        reply=yes("chat.postMessage with thread_ts"),
        limits="1 message/s in a channel; 40,000 characters, 4,000 advised; history 1 page/min, 15 messages a page "
        "for apps outside the marketplace",
        proven=("messages", "mentions of the app", "edits", "files", "messages of bots", "messages without blocks"),
        unproven=("message_deleted", "threads and thread_broadcast", "Socket Mode", "pages of a history"),
    ),
)
