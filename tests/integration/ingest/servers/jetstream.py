"""A small Jetstream of both versions: it keeps what was said, and gives it again from a cursor on, inclusively."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import Server, ServerConnection, serve

DID = "did:plc:lumora"
_V2_PATH = "/xrpc/network.bsky.jetstream.subscribeEvents"


class Jetstream:
    """Its events have the numbers 1, 2, 3...; version 1 tells them as microseconds since a day.

    Those up to `forgotten` are not kept any more; version 2 says so to whoever asks for them.
    """

    def __init__(self) -> None:
        self.events: list[dict[str, Any]] = []
        self.asked: list[str] = []
        self.forgotten = 0
        self._said = asyncio.Condition()
        self._server: Server | None = None
        self._port = 0
        self._stopped = False

    def url(self, *, v2: bool) -> str:
        return f"ws://127.0.0.1:{self._port}{_V2_PATH if v2 else '/subscribe'}"

    @property
    def is_open(self) -> bool:
        return self._server is not None and bool(self._server.connections)

    async def start(self) -> None:
        self._stopped = False
        self._server = await serve(
            self._tell, "127.0.0.1", self._port, select_subprotocol=lambda _, offered: offered[0] if offered else None
        )
        self._port = next(iter(self._server.sockets)).getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        for connection in list(self._server.connections):
            connection.transport.abort()
        self._server.close()
        async with self._said:
            self._stopped = True
            self._said.notify_all()
        await self._server.wait_closed()

    async def say(self, key: str, *, did: str = "did:plc:ada", operation: str = "create", **record: Any) -> None:
        commit = {"operation": operation, "collection": "app.bsky.feed.post", "rkey": key, "rev": "3l3qo2vutsw2b"}
        if operation != "delete":
            commit["record"] = {"text": "Why?", "createdAt": "2026-11-22T09:00:00Z", **record}  # type: ignore[assignment]
        async with self._said:
            self.events.append({"did": did, "commit": commit})
            self._said.notify_all()

    async def _tell(self, connection: ServerConnection) -> None:
        assert connection.request is not None
        parts = urlsplit(connection.request.path)
        self.asked.append(connection.request.path)
        v2, cursor = parts.path == _V2_PATH, parse_qs(parts.query).get("cursor")
        at = len(self.events) if cursor is None else max(0, int(cursor[0]) - (1 if v2 else _EPOCH_US + 1))
        if v2 and at < self.forgotten:
            at = self.forgotten
            await connection.send(json.dumps({"$type": "message", "payload": {"name": "OutdatedCursor"}}))
        while True:
            async with self._said:
                await self._said.wait_for(lambda at=at: self._stopped or len(self.events) > at)  # type: ignore[misc]
            if self._stopped:
                return
            while at < len(self.events):
                await connection.send(json.dumps(_frame(at + 1, self.events[at], v2=v2)))
                at += 1


_EPOCH_US = 1_795_000_000_000_000


def _frame(number: int, event: dict[str, Any], *, v2: bool) -> dict[str, Any]:
    if not v2:
        return {"did": event["did"], "time_us": _EPOCH_US + number, "kind": "commit", "commit": event["commit"]}
    kind = "network.bsky.jetstream.subscribeEvents#commit"
    time = "2026-11-22T09:00:00.000000Z"
    payload = {"$type": kind, "seq": number, "did": event["did"], "time": time, **event["commit"]}
    return {"$type": "message", "payload": payload}


def mention(did: str = DID) -> list[dict[str, Any]]:
    return [{"index": {"byteStart": 0, "byteEnd": 3}, "features": [{"$type": _MENTION, "did": did}]}]


_MENTION = "app.bsky.richtext.facet#mention"


@asynccontextmanager
async def jetstream_server() -> AsyncIterator[Jetstream]:
    server = Jetstream()
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
