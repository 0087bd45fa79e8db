"""A small real IMAP server (RFC 3501, RFC 2177) with one mailbox; it may lose its connections, and its numbering."""

import asyncio
import base64
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

USER, PASSWORD = "desk@lumora.example", "a secret with spaces"
_FETCH = re.compile(r"UID FETCH (\d+) \(BODY\.PEEK\[\]<0\.(\d+)>\)")
_RANGE = re.compile(r"UID SEARCH UID (\d+):\*")


@dataclass
class ImapServer:
    """`messages` are (uid, body); `commands` are all that clients said, by their words."""

    uid_validity: int = 1
    idles: bool = True
    messages: list[tuple[int, bytes]] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)
    arriving: list[bytes] = field(default_factory=list)
    """What is delivered while the next message is fetched."""
    password: str = PASSWORD
    port: int = 0
    _next_uid: int = 1
    _server: asyncio.Server | None = None
    _idle: set[asyncio.StreamWriter] = field(default_factory=set)
    _open: set[asyncio.StreamWriter] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"imap://127.0.0.1:{self.port}"

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Break every connection in the middle of whatever it does."""
        assert self._server is not None
        self._server.close()
        for writer in list(self._open):
            writer.transport.abort()

    def deliver(self, *bodies: bytes) -> None:
        for body in bodies:
            self.messages.append((self._next_uid, body))
            self._next_uid += 1
        for writer in self._idle:
            writer.write(b"* %d EXISTS\r\n" % len(self.messages))

    def renumber(self) -> None:
        """Begin anew, as after a restore from a backup: other numbers, and none of the old ones means anything."""
        self.uid_validity += 1
        self.messages = [(uid, body) for uid, (_, body) in enumerate(self.messages, start=501)]
        self._next_uid = 501 + len(self.messages)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        with suppress(OSError, asyncio.IncompleteReadError):
            writer.write(b"* OK ready\r\n")
            while line := await reader.readline():
                tag, _, command = line.decode().strip().partition(" ")
                self.commands.append(command)
                status = await self._do(command, reader, writer)
                writer.write(f"{tag} {status}\r\n".encode())
                await writer.drain()
        self._open.discard(writer)
        writer.close()

    async def _do(self, command: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
        if command == "CAPABILITY":
            writer.write(b"* CAPABILITY IMAP4rev1 AUTH=PLAIN" + (b" IDLE" if self.idles else b"") + b"\r\n")
        elif command == "AUTHENTICATE PLAIN":
            return await self._log_in(reader, writer)
        elif command == 'EXAMINE "INBOX"':
            lines = f"* {len(self.messages)} EXISTS\r\n* OK [UIDVALIDITY {self.uid_validity}] stable\r\n"
            writer.write(f"{lines}* OK [UIDNEXT {self._next_uid}] next\r\n".encode())
        elif command.startswith("UID SEARCH"):
            writer.write(b"* SEARCH" + b"".join(b" %d" % uid for uid in self._found(command)) + b"\r\n")
        elif fetch := _FETCH.fullmatch(command):
            self._send(int(fetch[1]), int(fetch[2]), writer)
            if self.arriving:
                self.deliver(self.arriving.pop())
                writer.write(b"* %d EXISTS\r\n" % len(self.messages))
        elif command == "IDLE":
            await self._wait_for_done(reader, writer)
        else:
            return "BAD unknown command"
        return "OK done"

    async def _log_in(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> str:
        writer.write(b"+ \r\n")
        _, user, password = base64.b64decode(await reader.readline()).decode().split("\0")
        return "OK done" if (user, password) == (USER, self.password) else "NO [AUTHENTICATIONFAILED] no"

    def _found(self, command: str) -> list[int]:
        wanted = _RANGE.fullmatch(command)
        uids = [uid for uid, _ in self.messages]
        if wanted is None:
            return uids
        # "*" is the last message, and a range may be given backwards: so there is always one, if there is any.
        return [uid for uid in uids if uid >= int(wanted[1])] or uids[-1:]

    def _send(self, uid: int, most: int, writer: asyncio.StreamWriter) -> None:
        for number, (each, body) in enumerate(self.messages, start=1):
            if each == uid:
                part = body[:most]
                writer.write(b"* %d FETCH (UID %d BODY[]<0> {%d}\r\n%b)\r\n" % (number, uid, len(part), part))

    async def _wait_for_done(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"+ idling\r\n")
        self._idle.add(writer)
        try:
            await reader.readuntil(b"DONE\r\n")
        finally:
            self._idle.discard(writer)


@asynccontextmanager
async def imap_server() -> AsyncIterator[ImapServer]:
    server = ImapServer()
    await server.start()
    yield server
    await server.stop()
