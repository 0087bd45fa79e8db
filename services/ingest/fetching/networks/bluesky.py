"""Bluesky by Jetstream: the posts of the whole network, of which those that concern the account are kept.

Options: `url` (a server of version 2, ".../xrpc/network.bsky.jetstream.subscribeEvents", or of version 1,
".../subscribe"); `words`, comma separated, which concern us wherever they are said. `account` is the account's DID.
"""

from collections.abc import AsyncGenerator, Iterable
from contextlib import aclosing
from typing import Final

import msgspec
import structlog

from services.ingest.fetching.coverage import Missed
from services.ingest.fetching.cursors import read_cursor, write_cursor
from services.ingest.fetching.networks import Fetcher
from services.ingest.fetching.source import Connection, Frame, InvalidConnection, Source, Tools
from services.ingest.fetching.streaming import messages
from services.ingest.payload import Node, read_json

_URL: Final = "wss://jetstream.us-east.bsky.network/xrpc/network.bsky.jetstream.subscribeEvents"
_POST: Final = "app.bsky.feed.post"
_V2_SUBPROTOCOL: Final = "xrpc.v1.json"
_V1_OVERLAP_US: Final = 5_000_000
"""Events of version 1 may share a microsecond or come late: begin a little earlier, and leave it to the dedupe key."""
_MENTION: Final = "app.bsky.richtext.facet#mention"
_CHANGES: Final = frozenset({"update", "delete"})
_log = structlog.get_logger(__name__)


class _Position(msgspec.Struct):
    server: str = ""
    """Numbers of one server mean nothing to another one."""
    number: int = 0
    """`seq` in version 2, `time_us` in version 1: of the last event that was looked at."""


class Jetstream:
    """One connection to one server; where it ends, the runner begins again at the position."""

    def __init__(self, connection: Connection, tools: Tools) -> None:
        self._connection = connection
        self._tools = tools
        self._url = connection.options.get("url", _URL)
        self._is_v2 = "/xrpc/" in self._url
        self._relevance = Relevance(connection.account.id, connection.options.get("words", "").split(","))

    async def frames(self, cursor: bytes | None) -> AsyncGenerator[Frame, None]:
        """See `Source`."""
        position = read_cursor(cursor, _Position)
        last = position.number if position.server == self._url else 0
        subprotocols = [_V2_SUBPROTOCOL] if self._is_v2 else []
        stream = messages(self._tools.http, self._subscription(last), self._tools.clock, subprotocols)
        async with aclosing(stream):
            async for batch in stream:
                frames = [(body, frame) for body in batch if (frame := read_json(body)) is not None]
                events = [(body, event) for body, frame in frames if self._is_new(event := self._event(frame), last)]
                last = max((self._number(event) for _, event in events), default=last)
                missed = self._missed(frame for _, frame in frames)
                yield Frame(await self._ours(events), write_cursor(_Position(self._url, last)), missed=missed)

    def _subscription(self, last: int) -> str:
        if self._is_v2:
            return f"{self._url}?collections={_POST}&kinds=commit" + (f"&cursor={last}" if last else "")
        return f"{self._url}?wantedCollections={_POST}" + (f"&cursor={last - _V1_OVERLAP_US}" if last else "")

    def _event(self, frame: Node) -> Node:
        return frame["payload"] if self._is_v2 else frame

    def _missed(self, frames: Iterable[Node]) -> Missed | None:
        """Whether the server says that it does not reach back to our position: it keeps some days only."""
        if not any(self._event(each)["name"].text() == "OutdatedCursor" for each in frames):
            return None
        _log.warning("fetch_did_not_reach_what_is_known", integration=self._connection.integration)
        return Missed.CURSOR_OUTDATED

    def _is_new(self, event: Node, last: int) -> bool:
        """Servers of version 2 begin with the last one that we saw; of version 1 we asked for some before it."""
        return not self._is_v2 or self._number(event) > last

    def _number(self, event: Node) -> int:
        return event["seq" if self._is_v2 else "time_us"].integer() or 0

    async def _ours(self, events: Iterable[tuple[bytes, Node]]) -> list[bytes]:
        """Sort out what concerns us; everybody's edits and deletions are told, so ours are asked for by their ids."""
        judged = [(body, event, self._relevance.of(body, event)) for body, event in events]
        asked = [native_id(event) for _, event, concerns in judged if not concerns and _is_change(event)]
        known = await self._tools.known(self._connection, asked) if asked else set[str]()
        known.update(native_id(event) for _, event, concerns in judged if concerns)
        return [body for body, event, concerns in judged if concerns or native_id(event) in known]


class Relevance:
    """What concerns an account: its own posts, mentions of it, answers to it, quotes of it, and words."""

    def __init__(self, did: str, words: Iterable[str]) -> None:
        self._did = did
        self._did_bytes = did.encode()
        self._words = tuple(word for each in words if (word := each.strip().casefold()))

    def of(self, body: bytes, event: Node) -> bool:
        """Whether an event concerns the account; that its DID stands in the bytes is the cheap test before."""
        record = _commit(event)["record"]
        if self._did_bytes in body and self._names_us(event, record):
            return True
        text = (record["text"].text() or "").casefold() if self._words else ""
        return any(word in text for word in self._words)

    def _names_us(self, event: Node, record: Node) -> bool:
        if event["did"].id() == self._did:
            return True
        ours = f"at://{self._did}/"
        reply, embed = record["reply"], record["embed"]
        links = (reply.at("parent", "uri"), reply.at("root", "uri"), embed.at("record", "uri"))
        quoted = embed.at("record", "record", "uri")
        return any((each.text() or "").startswith(ours) for each in (*links, quoted)) or self._mentions_us(record)

    def _mentions_us(self, record: Node) -> bool:
        features = (feature for facet in record["facets"] for feature in facet["features"])
        return any(each["$type"].text() == _MENTION and each["did"].id() == self._did for each in features)


def native_id(event: Node) -> str:
    """The id that the post of an event has with us."""
    commit = _commit(event)
    return f"at://{event['did'].id()}/{commit['collection'].text()}/{commit['rkey'].id()}"


def _commit(event: Node) -> Node:
    return event["commit"] if event["commit"].is_object() else event


def _is_change(event: Node) -> bool:
    return _commit(event)["operation"].text() in _CHANGES


def open_jetstream(connection: Connection, tools: Tools) -> Source:
    """Open Jetstream for an account."""
    if not connection.account.id.startswith("did:"):
        raise InvalidConnection(f"{connection.integration}: bluesky needs the account's DID as account")
    return Jetstream(connection, tools)


FETCHER: Final = Fetcher("bluesky", open_jetstream)
