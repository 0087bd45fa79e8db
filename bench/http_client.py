"""HTTP/1.1 for the load, as thin as it can be: it runs beside the server on the same cores and must cost little."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import cast

_END_OF_HEAD = b"\r\n\r\n"
_LENGTH = b"\r\ncontent-length: "


class Connection(asyncio.Protocol):
    """One kept connection, one request at a time."""

    def __init__(self) -> None:
        self._received = b""
        self._answer: asyncio.Future[int] | None = None
        self._transport: asyncio.Transport | None = None

    async def exchange(self, request: bytes) -> int:
        """Send a whole request and answer the status once the whole response is here."""
        assert self._transport is not None, "connected by `connections`"
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way out."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but name

    def data_received(self, data: bytes) -> None:
        """Take what came, and answer the request when it is whole."""
        self._received += data
        status = status_of_whole(self._received)
        if status is not None and self._answer is not None:
            self._received = b""
            self._answer.set_result(status)

    def connection_lost(self, error: Exception | None) -> None:
        """Tell whoever still waits."""
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error or ConnectionResetError("the server closed the connection"))


def status_of_whole(received: bytes) -> int | None:
    """The status of a response with a content-length, or None while some of it is missing."""
    head, end, body = received.partition(_END_OF_HEAD)
    if not end:
        return None
    _, _, rest = head.lower().partition(_LENGTH)
    length = int(rest.partition(b"\r\n")[0] or b"0")
    return int(head[9:12]) if len(body) >= length else None


def request(host: str, path: str, headers: Sequence[tuple[str, str]], body: bytes) -> bytes:
    """The bytes of a POST."""
    lines = [f"POST {path} HTTP/1.1", f"host: {host}", f"content-length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers]
    return "\r\n".join(lines).encode() + _END_OF_HEAD + body


@asynccontextmanager
async def connections(host: str, port: int, count: int) -> AsyncIterator[list[Connection]]:
    """Open connections for the length of a block."""
    loop = asyncio.get_running_loop()
    opened = [await loop.create_connection(Connection, host, port) for _ in range(count)]
    try:
        yield [connection for _, connection in opened]
    finally:
        for transport, _ in opened:
            transport.close()


async def exchange_all(connections: Sequence[Connection], requests: Iterator[bytes]) -> list[int]:
    """Send every request, on each connection the next as soon as the last is answered; answer the statuses."""
    statuses: list[int] = []

    async def keep_busy(connection: Connection) -> None:
        statuses.extend([await connection.exchange(each) for each in requests])

    async with asyncio.TaskGroup() as tasks:
        for connection in connections:
            tasks.create_task(keep_busy(connection))
    return statuses
