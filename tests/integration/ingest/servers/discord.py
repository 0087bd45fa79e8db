"""A small Discord gateway: it keeps a session after the connection is lost, and gives what was missed on a resume."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import websockets
from websockets.asyncio.server import Server, ServerConnection, serve

TOKEN = "a-bot"


class Gateway:
    """One session at most. `forget` ends it, as Discord does after some minutes."""

    def __init__(self) -> None:
        self.greetings: list[str] = []
        self.beats = 0
        self.answers_beats = True
        self._session = ""
        self._sent: list[dict[str, Any]] = []
        self._open: ServerConnection | None = None
        self._server: Server | None = None
        self._port = 0

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self._port}"

    async def start(self) -> None:
        self._server = await serve(self._serve, "127.0.0.1", self._port)
        self._port = next(iter(self._server.sockets)).getsockname()[1]

    async def stop(self) -> None:
        assert self._server is not None
        for connection in list(self._server.connections):
            connection.transport.abort()
        self._server.close()
        await self._server.wait_closed()

    def forget(self) -> None:
        self._session, self._sent = "", []

    async def say(self, number: int, channel: str = "5") -> None:
        author = {"id": "7", "username": "ada"}
        said = {"id": str(number), "channel_id": channel, "author": author, "content": "Why?", "type": 0}
        await self._dispatch("MESSAGE_CREATE", {**said, "timestamp": "2026-11-22T09:00:00.000000+00:00"})

    async def reconnect(self) -> None:
        """Ask the client to come back."""
        assert self._open is not None
        await self._open.send(json.dumps({"op": 7, "d": None}))

    async def _dispatch(self, kind: str, data: dict[str, Any]) -> None:
        self._sent.append({"op": 0, "t": kind, "s": len(self._sent) + 1, "d": data})
        if self._open is not None:
            with suppress(websockets.ConnectionClosed):
                await self._open.send(json.dumps(self._sent[-1]))

    async def _serve(self, connection: ServerConnection) -> None:
        await connection.send(json.dumps({"op": 10, "d": {"heartbeat_interval": 1000}}))
        try:
            while True:
                message = json.loads(await connection.recv())
                await self._take(message["op"], message["d"], connection)
        except websockets.ConnectionClosed:
            self._open = None if self._open is connection else self._open

    async def _take(self, code: int, data: Any, connection: ServerConnection) -> None:
        if code == 1:
            self.beats += 1
            if self.answers_beats:
                await connection.send(json.dumps({"op": 11}))
        elif data["token"] != TOKEN:
            await connection.close(4004)
        elif code == 2:
            await self._identify(connection)
        else:
            await self._resume(data, connection)

    async def _identify(self, connection: ServerConnection) -> None:
        self.greetings.append("identify")
        self._session, self._sent = f"session-{len(self.greetings)}", []
        self._open = connection
        await self._dispatch("READY", {"session_id": self._session, "resume_gateway_url": self.url})

    async def _resume(self, data: Any, connection: ServerConnection) -> None:
        self.greetings.append("resume")
        if data["session_id"] != self._session:
            await connection.send(json.dumps({"op": 9, "d": False}))
            return
        for each in self._sent[data["seq"] :]:
            await connection.send(json.dumps(each))
        self._open = connection
        await self._dispatch("RESUMED", {})


@asynccontextmanager
async def discord_gateway() -> AsyncIterator[Gateway]:
    server = Gateway()
    await server.start()
    try:
        yield server
    finally:
        await asyncio.shield(server.stop())
