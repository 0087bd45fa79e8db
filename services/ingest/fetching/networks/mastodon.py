"""Mastodon, and what speaks its API: the user's event stream, and the notifications that came while it was closed.

`url` is the server, the secret an access token with the scope read. Options: `home` ("yes": the posts of the home
timeline are posts as well, which hears accounts and hashtags that the brand follows); `streaming_url`, where the
server streams from another host.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import Final

import msgspec

from services.ingest.event_stream import ServerSentEvent
from services.ingest.fetching.api import Api, json_list
from services.ingest.fetching.cursors import read_cursor, write_cursor
from services.ingest.fetching.networks import Fetcher
from services.ingest.fetching.source import Connection, Frame, InvalidConnection, Source, Tools, site
from services.ingest.fetching.streaming import events
from services.ingest.payload import Node, read_json

_TYPES: Final = "&".join(f"types[]={each}" for each in ("mention", "status", "update", "quote", "quoted_update"))
_PAGE_ITEMS: Final = 40
_BEFORE_ALL: Final = "0"
_CATCH_UP_SECONDS: Final = 600.0
"""A stream may lose an event without a word: look this often whether it did."""


class _Position(msgspec.Struct):
    server: str = ""
    """Ids of one server mean nothing to another one."""
    notification: str = ""
    """The newest one seen."""


class UserStream:
    """Opens the stream first and then reads what came before, so that nothing falls between the two."""

    def __init__(self, connection: Connection, tools: Tools) -> None:
        self._connection = connection
        self._server = site(connection)
        self._streaming = connection.options.get("streaming_url", self._server).rstrip("/")
        self._headers = {"authorization": f"Bearer {connection.secret}"}
        self._tools = tools
        self._api = Api(tools.http, tools.clock, self._headers)
        self._home = connection.options.get("home") == "yes"

    async def frames(self, cursor: bytes | None) -> AsyncGenerator[Frame, None]:
        """See `Source`."""
        position = read_cursor(cursor, _Position)
        if position.server != self._server:
            position = _Position(self._server)
        loop, due_at = asyncio.get_running_loop(), 0.0
        stream = events(self._tools.http, f"{self._streaming}/api/v1/streaming/user", self._tools.clock, self._headers)
        async with aclosing(stream):
            async for told in stream:
                if loop.time() >= due_at:
                    while payload := await self._missed(position):
                        yield Frame([payload], write_cursor(position))
                    due_at = loop.time() + _CATCH_UP_SECONDS
                payloads = await self._ours(told, position)
                yield Frame(payloads, write_cursor(position))

    async def _missed(self, position: _Position) -> bytes | None:
        """The page of notifications next to the position, which moves behind it; None where there is none.

        Where there is no position yet, it is the newest page: history is not asked for.
        """
        after = f"&min_id={position.notification}" if position.notification else ""
        url = f"{self._server}/api/v1/notifications?limit={_PAGE_ITEMS}&{_TYPES}{after}"
        body = (await self._api.get(url)).body
        newest = json_list(body)[0]["id"].id()
        if newest is None or newest == position.notification:
            position.notification = position.notification or _BEFORE_ALL
            return None
        position.notification = newest
        return body

    async def _ours(self, told: Sequence[ServerSentEvent], position: _Position) -> list[bytes]:
        """Sort out what is said to us; edits and deletions are those of the whole timeline, so they are asked for."""
        asked = [_id(each) for each in told if each.name in {"delete", "status.update"}]
        known = await self._tools.known(self._connection, asked) if asked else set[str]()
        payloads = []
        for each in told:
            if each.name == "notification":
                position.notification = _id(each)
                known.add(_data(each).at("status", "id").id() or "")
            elif self._home and each.name == "update":
                known.add(_id(each))
            elif _id(each) not in known:
                continue
            payloads.append(f"event: {each.name}\ndata: {each.data}\n\n".encode())
        return payloads


def _data(event: ServerSentEvent) -> Node:
    return read_json(event.data.encode()) or Node()


def _id(event: ServerSentEvent) -> str:
    """The id that the data of an event is, or holds."""
    return _data(event)["id"].id() or event.data.strip()


def open_stream(connection: Connection, tools: Tools) -> Source:
    """Open the stream of an account."""
    if not connection.secret:
        raise InvalidConnection(f"{connection.integration}: mastodon needs an access token as secret")
    return UserStream(connection, tools)


FETCHER: Final = Fetcher("mastodon", open_stream)
