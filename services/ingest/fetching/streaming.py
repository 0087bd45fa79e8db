"""Streaming: connections that stay open, as lines or events over HTTP, or as messages of a WebSocket."""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import suppress
from typing import Final

import httpx
import websockets

from chassis.clock import Clock
from chassis.outbound import OutboundClient
from services.ingest.event_stream import EventReader, EventTooLongError, ServerSentEvent
from services.ingest.fetching.api import UNREACHABLE, check, unreachable
from services.ingest.fetching.coverage import Reason
from services.ingest.fetching.pace import pause_seconds
from services.ingest.fetching.source import FetchFailed

SILENCE_SECONDS: Final = 90.0
"""Streams show that they live every 15 to 30 seconds; one that does not is dead, whatever TCP says."""
_MAX_MESSAGE_BYTES: Final = 1024 * 1024
_HANDSHAKE_SECONDS: Final = 10.0
_PING_SECONDS: Final = 20.0
_BATCH_MESSAGES: Final = 500
_BATCH_SECONDS: Final = 0.25
_HTTPS_PORT: Final = 443
_HTTP_PORT: Final = 80


async def events(
    http: OutboundClient, url: str, clock: Clock, headers: Mapping[str, str] | None = None, last_id: str = ""
) -> AsyncGenerator[list[ServerSentEvent], None]:
    """Give the events of a stream as they come; first an empty list: the stream is open.

    An empty list later on is a sign of life. Raises `FetchFailed` where the stream fails; ends where it ends.
    """
    reader = EventReader(last_id=last_id)
    asked = {"accept": "text/event-stream", "cache-control": "no-store", **(headers or {})}
    if last_id:
        asked["last-event-id"] = last_id
    try:
        async with http.stream(url, headers=asked, silence_seconds=SILENCE_SECONDS) as response:
            check(response.status_code, pause_seconds(response.headers, clock()))
            if "text/event-stream" not in response.headers.get("content-type", ""):
                raise FetchFailed(Reason.UNREACHABLE, "the answer is no event stream")
            yield []
            async for text in response.aiter_text():
                yield list(reader.feed(text))
    except EventTooLongError as error:
        raise FetchFailed(Reason.UNREACHABLE, "an event does not end") from error
    except UNREACHABLE as error:
        raise unreachable(error) from error


async def lines(
    http: OutboundClient, url: str, clock: Clock, headers: Mapping[str, str] | None = None
) -> AsyncGenerator[list[bytes], None]:
    """Give the lines of a stream as they come, but for empty ones, which are signs of life; first an empty list.

    Raises `FetchFailed` where the stream fails; ends where it ends.
    """
    begun = b""
    try:
        async with http.stream(url, headers=headers, silence_seconds=SILENCE_SECONDS) as response:
            check(response.status_code, pause_seconds(response.headers, clock()))
            yield []
            async for chunk in response.aiter_bytes():
                *whole, begun = (begun + chunk).split(b"\n")
                if len(begun) > _MAX_MESSAGE_BYTES:
                    raise FetchFailed(Reason.UNREACHABLE, "a line does not end")
                yield [each for each in whole if each.strip()]
    except UNREACHABLE as error:
        raise unreachable(error) from error


async def messages(
    http: OutboundClient, url: str, clock: Clock, subprotocols: Sequence[str] = ()
) -> AsyncGenerator[list[bytes], None]:
    """Give the messages of a WebSocket in batches; first an empty list: it is open. Raises `FetchFailed`."""
    try:
        async with await connected(http, url, subprotocols) as connection:
            yield []
            while True:
                yield await next_batch(connection)
    except websockets.InvalidStatus as error:
        headers = httpx.Headers(list(error.response.headers.raw_items()))
        check(error.response.status_code, pause_seconds(headers, clock()))
        raise unreachable(error) from error
    except (websockets.WebSocketException, *UNREACHABLE) as error:
        raise unreachable(error) from error


async def connected(http: OutboundClient, url: str, subprotocols: Sequence[str] = ()) -> websockets.connect:
    """Dial by the rules for calls to the outside, then shake hands; the handshake follows no redirect."""
    secure = url.startswith("wss:")
    dialled = await http.connect(url, default_port=_HTTPS_PORT if secure else _HTTP_PORT)
    return websockets.connect(
        url,
        sock=dialled.connection,
        ssl=dialled.tls,
        server_hostname=dialled.host if dialled.tls else None,
        subprotocols=[websockets.Subprotocol(each) for each in subprotocols] or None,
        proxy=None,
        open_timeout=_HANDSHAKE_SECONDS,
        close_timeout=1.0,
        ping_interval=_PING_SECONDS,
        max_size=_MAX_MESSAGE_BYTES,
    )


async def next_batch(connection: websockets.ClientConnection) -> list[bytes]:
    """Wait for a message, then take what comes within a moment: a transaction per message would fall behind."""
    batch = [await connection.recv(decode=False)]
    with suppress(TimeoutError):
        async with asyncio.timeout(_BATCH_SECONDS):
            while len(batch) < _BATCH_MESSAGES:
                batch.append(await connection.recv(decode=False))
    return batch
