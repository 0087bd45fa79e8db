"""Discord: the messages that a bot sees, by the gateway (https://discord.com/developers/docs/events/gateway).

The secret is the bot's token; the bot needs the intent MESSAGE CONTENT. Options: `channels`, comma separated ids (all
that the bot sees); `gateway` (wss://gateway.discord.gg).
"""

import asyncio
import json
import random
from collections.abc import AsyncGenerator, Sequence
from contextlib import suppress
from typing import Any, Final

import msgspec
import structlog
import websockets

from services.ingest.fetching.api import UNREACHABLE, unreachable
from services.ingest.fetching.coverage import Missed, Reason
from services.ingest.fetching.cursors import read_cursor, write_cursor
from services.ingest.fetching.networks import Fetcher
from services.ingest.fetching.source import Connection, FetchFailed, Frame, InvalidConnection, Source, Tools
from services.ingest.fetching.streaming import connected, next_batch
from services.ingest.payload import Node, read_json

_GATEWAY: Final = "wss://gateway.discord.gg"
_INTENTS: Final = (1 << 9) | (1 << 12) | (1 << 15)
"""Messages of servers, direct messages, and what they say."""
_DISPATCH, _HEARTBEAT, _IDENTIFY, _RESUME, _RECONNECT, _INVALID, _HELLO, _ACK = 0, 1, 2, 6, 7, 9, 10, 11
_REFUSED: Final = frozenset({4004, 4013, 4014})
"""Close codes: a wrong token, and intents that the bot may not have."""
_ENDED: Final = frozenset({4007, 4009})
"""Close codes: the session cannot be taken up again."""
_ZOMBIE: Final = 4000
_HELLO_SECONDS: Final = 10.0
_log = structlog.get_logger(__name__)


class _Session(msgspec.Struct):
    """What Discord keeps for a while after a connection ends; whoever comes back in time misses nothing."""

    id: str = ""
    url: str = ""
    seq: int | None = None


class Gateway:
    """One connection: takes up the session where there is one, and begins another where it has ended."""

    def __init__(self, connection: Connection, tools: Tools) -> None:
        self._integration = connection.integration
        self._token = connection.secret
        self._gateway = connection.options.get("gateway", _GATEWAY)
        self._channels = frozenset(filter(None, map(str.strip, connection.options.get("channels", "").split(","))))
        self._tools = tools
        self._heard = True
        self._missed: Missed | None = None

    async def frames(self, cursor: bytes | None) -> AsyncGenerator[Frame, None]:
        """See `Source`."""
        session = read_cursor(cursor, _Session)
        url = f"{session.url or self._gateway}/?v=10&encoding=json"
        try:
            async with await connected(self._tools.http, url) as socket:
                beat = asyncio.create_task(self._beat(socket, await self._greet(socket, session), session))
                try:
                    while not socket.close_code:
                        batch = await next_batch(socket)
                        payloads = [body for body in batch if await self._is_ours(body, socket, session)]
                        yield self._frame(payloads, session)
                finally:
                    beat.cancel()
                    with suppress(asyncio.CancelledError):
                        await beat
        except websockets.ConnectionClosed as error:
            code = error.rcvd.code if error.rcvd else None
            if code in _REFUSED:
                raise FetchFailed(Reason.AUTH_FAILED, f"the gateway closed with {code}") from error
            if code in _ENDED:
                self._anew(session)
                yield self._frame((), session)
            raise FetchFailed(Reason.UNREACHABLE, f"the gateway closed with {code}") from error
        except (websockets.WebSocketException, *UNREACHABLE) as error:
            raise unreachable(error) from error

    async def _greet(self, socket: websockets.ClientConnection, session: _Session) -> float:
        """Say who we are, or where we were; answers how often to give a sign of life, in seconds."""
        async with asyncio.timeout(_HELLO_SECONDS):
            hello = read_json(await socket.recv(decode=False)) or Node()
        interval_ms = hello.at("d", "heartbeat_interval").number()
        if hello["op"].integer() != _HELLO or not interval_ms:
            raise FetchFailed(Reason.UNREACHABLE, "the gateway did not say hello")
        if session.id:
            known = {"token": self._token, "session_id": session.id, "seq": session.seq}
            await _send(socket, _RESUME, known)
        else:
            properties = {"os": "linux", "browser": "ascolto", "device": "ascolto"}
            await _send(socket, _IDENTIFY, {"token": self._token, "intents": _INTENTS, "properties": properties})
        return interval_ms / 1000

    async def _beat(self, socket: websockets.ClientConnection, every_seconds: float, session: _Session) -> None:
        """Give signs of life, and close a connection that does not answer them."""
        self._heard = True
        await asyncio.sleep(every_seconds * random.random())  # noqa: S311 - as Discord asks, so that not all come at once
        while self._heard:
            self._heard = False
            await _send(socket, _HEARTBEAT, session.seq)
            await asyncio.sleep(every_seconds)
        await socket.close(_ZOMBIE)

    async def _is_ours(self, body: bytes, socket: websockets.ClientConnection, session: _Session) -> bool:
        """Follow the protocol, and tell whether a message is what we came for."""
        message = read_json(body) or Node()
        code, data = message["op"].integer(), message["d"]
        if code == _ACK:
            self._heard = True
        elif code == _HEARTBEAT:
            await _send(socket, _HEARTBEAT, session.seq)
        elif code == _RECONNECT or (code == _INVALID and data.flag()):
            await socket.close(_ZOMBIE)  # a code that keeps the session
        elif code == _INVALID:
            self._anew(session)
            await socket.close(_ZOMBIE)
        elif code == _DISPATCH:
            session.seq = message["s"].integer()
            if message["t"].text() == "READY":
                session.id, session.url = data["session_id"].text() or "", data["resume_gateway_url"].text() or ""
            said = (message["t"].text() or "").startswith("MESSAGE_")
            return said and (not self._channels or data["channel_id"].id() in self._channels)
        return False

    def _anew(self, session: _Session) -> None:
        """Forget the session: what was said since it ended was not heard, and that must be visible."""
        if session.id:
            _log.warning("fetch_did_not_reach_what_is_known", integration=self._integration)
            self._missed = Missed.SESSION_ENDED
        session.id, session.url, session.seq = "", "", None

    def _frame(self, payloads: Sequence[bytes], session: _Session) -> Frame:
        missed, self._missed = self._missed, None
        return Frame(payloads, write_cursor(session), missed=missed)


async def _send(socket: websockets.ClientConnection, code: int, data: Any) -> None:  # noqa: ANN401 - any JSON
    await socket.send(json.dumps({"op": code, "d": data}))


def open_gateway(connection: Connection, tools: Tools) -> Source:
    """Open the gateway for a bot."""
    if not connection.secret:
        raise InvalidConnection(f"{connection.integration}: discord needs the bot's token as secret")
    return Gateway(connection, tools)


FETCHER: Final = Fetcher("discord", open_gateway)
