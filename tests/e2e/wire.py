"""HTTP/1.1 as thin as it can be: the load must cost little beside the services that it is to put under load."""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

ANSWER_SECONDS: Final = 15.0


class Cut(Exception):  # noqa: N818 - what became of the request
    """The connection was refused, cut or silent: nobody knows whether the request was acted upon."""


@dataclass(frozen=True, slots=True)
class Response:
    """An answer with its body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class _Connection:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


class Client:
    """Posts to one server over a bounded number of kept connections."""

    def __init__(self, url: str, connections: int) -> None:
        parts = urlsplit(url)
        self._host, self._port = str(parts.hostname), int(parts.port or 0)
        self._idle: list[_Connection] = []
        self._places = asyncio.Semaphore(connections)

    async def post(self, path: str, headers: Mapping[str, str], body: bytes) -> Response:
        """Send one request; raises Cut where no whole answer comes."""
        lines = [f"POST {path} HTTP/1.1", f"host: {self._host}:{self._port}", f"content-length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        request = "\r\n".join(lines).encode() + b"\r\n\r\n" + body
        async with self._places:
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    return await self._exchange(request)
            except (OSError, EOFError, TimeoutError, ValueError) as error:
                raise Cut(type(error).__name__) from error

    async def close(self) -> None:
        """Close the kept connections."""
        for connection in self._idle:
            connection.writer.close()
        for connection in self._idle:
            with suppress(OSError):
                await connection.writer.wait_closed()

    async def _exchange(self, request: bytes) -> Response:
        connection = self._idle.pop() if self._idle else await self._connect()
        try:
            connection.writer.write(request)
            response = await _read(connection.reader)
        except BaseException:
            connection.writer.transport.abort()
            raise
        if response.headers.get("connection") == "close":
            connection.writer.close()
        else:
            self._idle.append(connection)
        return response

    async def _connect(self) -> _Connection:
        return _Connection(*await asyncio.open_connection(self._host, self._port))


async def _read(reader: asyncio.StreamReader) -> Response:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    fields = (line.partition(":") for line in head[1:] if line)
    headers = {name.strip().lower(): value.strip() for name, _, value in fields}
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Response(int(head[0].split(" ")[1]), headers, body)
