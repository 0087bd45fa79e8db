"""The part of IMAP4rev1 (RFC 3501, IDLE of RFC 2177) that reading a mailbox takes; it can change nothing there.

The asyncio client that exists is licensed under the GPL, and the one of the standard library blocks a thread in IDLE.
"""

import asyncio
import base64
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from types import TracebackType
from typing import Final, NamedTuple, Self

from chassis.outbound.client import Dialled

_COMMAND_SECONDS: Final = 60.0
_MAX_LINE_BYTES: Final = 4 * 1024 * 1024
"""UID SEARCH answers in one line: 4 MiB are half a million messages."""
_MAX_ANSWER_BYTES: Final = 16 * 1024 * 1024
_PIECE_BYTES: Final = 256
"""What a line or a literal takes beside its bytes: an answer of empty lines is large as well."""
_LITERAL: Final = re.compile(rb"\{(\d{1,10})\}$")
_EXISTS: Final = re.compile(rb"\* \d+ EXISTS", re.IGNORECASE)
_STATUS: Final = re.compile(rb"(OK|NO|BAD)\b", re.IGNORECASE)


class ImapError(Exception):
    """The server refused a command or broke the protocol; the message holds no word of the server's."""


class LoginRefused(ImapError):  # noqa: N818 - named after the event
    """The server does not take the user's credentials."""


class Response(NamedTuple):
    """A line of the server, its literals taken out of it."""

    line: bytes
    literals: Sequence[bytes]


class Mailbox(NamedTuple):
    """An opened mailbox."""

    uid_validity: int
    uid_next: int | None
    """None where the server does not say."""


class ImapClient:
    """One connection; commands follow each other. `news` tells that the server spoke of messages we do not know."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._sent = 0
        self._room = _MAX_ANSWER_BYTES
        self.news = False

    @classmethod
    async def greet(cls, dialled: Dialled) -> Self:
        """Begin to talk through a connection just opened."""
        name = dialled.host if dialled.tls else None
        streams = await asyncio.open_connection(
            sock=dialled.connection, ssl=dialled.tls, server_hostname=name, limit=_MAX_LINE_BYTES
        )
        client = cls(*streams)
        try:
            await client._greeted()
        except BaseException:
            streams[1].close()
            raise
        return client

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.close()
        with suppress(OSError):
            await self._writer.wait_closed()

    async def _greeted(self) -> None:
        async with asyncio.timeout(_COMMAND_SECONDS):
            if not (await self._read()).line.upper().startswith(b"* OK"):
                raise ImapError("the server is not ready")

    async def login(self, user: str, password: str) -> None:
        """Log in with a password; raises `LoginRefused`."""
        await self._authenticate("PLAIN", f"\0{user}\0{password}")

    async def login_oauth(self, user: str, token: str) -> None:
        """Log in with an OAuth 2 access token (XOAUTH2 of Google and Microsoft); raises `LoginRefused`."""
        await self._authenticate("XOAUTH2", f"user={user}\1auth=Bearer {token}\1\1")

    async def capabilities(self) -> frozenset[str]:
        """What the server can do, in upper case."""
        words = [each.line.upper().split() for each in await self._command("CAPABILITY")]
        found = {word.decode("ascii", "replace") for line in words if line[1:2] == [b"CAPABILITY"] for word in line[2:]}
        return frozenset(found)

    async def examine(self, folder: str) -> Mailbox:
        """Open a mailbox without the right to change it."""
        text = b"\n".join(each.line for each in await self._command(f"EXAMINE {_quoted(folder)}"))
        validity, following = (re.search(rb"\[" + name + rb" (\d+)\]", text) for name in (b"UIDVALIDITY", b"UIDNEXT"))
        if validity is None:
            raise ImapError("the mailbox has no UIDVALIDITY")
        self.news = False
        return Mailbox(int(validity[1]), int(following[1]) if following else None)

    async def search(self, criteria: str) -> list[int]:
        """The UIDs that match, in ascending order."""
        self.news = False
        lines = [each.line.split() for each in await self._command(f"UID SEARCH {criteria}")]
        return sorted(int(uid) for line in lines if line[1:2] == [b"SEARCH"] for uid in line[2:] if uid.isdigit())

    async def fetch(self, uid: int, max_bytes: int) -> bytes | None:
        """The first `max_bytes` of a message, which stays unseen; None where it is there no more."""
        responses = await self._command(f"UID FETCH {uid} (BODY.PEEK[]<0.{max_bytes}>)")
        found = [each.literals[0] for each in responses if b" FETCH " in each.line.upper() and each.literals]
        return found[0] if found else None

    async def idle(self, seconds: float) -> None:
        """Wait until there are messages that we do not know, or for so long; raises where the connection is lost."""
        async with self._sending("IDLE") as tag:
            await self._continued()
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    while not self.news:
                        await self._read()
            await self._write(b"DONE\r\n")
            async with asyncio.timeout(_COMMAND_SECONDS):
                await self._finish(tag)

    async def _authenticate(self, mechanism: str, credentials: str) -> None:
        answer = base64.b64encode(credentials.encode()) + b"\r\n"
        async with asyncio.timeout(_COMMAND_SECONDS), self._sending(f"AUTHENTICATE {mechanism}") as tag:
            while True:
                line = (await self._read()).line
                if line.startswith(b"+"):
                    await self._write(answer)
                    answer = b"\r\n"  # a second question holds why we are refused; an empty answer lets it end
                elif line.startswith(tag):
                    break
        if not _is_ok(line):
            raise LoginRefused(f"the server refused AUTHENTICATE {mechanism}")

    async def _command(self, command: str) -> list[Response]:
        async with asyncio.timeout(_COMMAND_SECONDS), self._sending(command) as tag:
            return await self._finish(tag)

    @asynccontextmanager
    async def _sending(self, command: str) -> AsyncIterator[bytes]:
        """Send a command and give its tag; raises `ImapError` for what no line of the protocol can hold."""
        if not command.isascii() or "\r" in command or "\n" in command:
            raise ImapError("a name holds characters that IMAP cannot say: write it in modified UTF-7")
        self._sent += 1
        self._room = _MAX_ANSWER_BYTES
        tag = b"a%d " % self._sent
        await self._write(tag + command.encode() + b"\r\n")
        try:
            yield tag
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            raise ImapError("the connection ended, or a line does not") from error

    async def _continued(self) -> None:
        async with asyncio.timeout(_COMMAND_SECONDS):
            while not (line := (await self._read()).line).startswith(b"+"):
                if not line.startswith(b"*"):
                    raise ImapError("the server refused IDLE")

    async def _finish(self, tag: bytes) -> list[Response]:
        responses = []
        while not (response := await self._read()).line.startswith(tag):
            responses.append(response)
        if not _is_ok(response.line):
            raise ImapError("the server refused a command")
        return responses

    async def _read(self) -> Response:
        parts, literals = list[bytes](), list[bytes]()
        while True:
            part = (await self._reader.readuntil(b"\r\n"))[:-2]
            self._take(len(part))
            found = _LITERAL.search(part)
            if found is None:
                break
            parts.append(part[: found.start()])
            self._take(int(found[1]))
            literals.append(await self._reader.readexactly(int(found[1])))
        line = b"".join([*parts, part])
        self.news = self.news or bool(_EXISTS.match(line))
        return Response(line, literals)

    def _take(self, size: int) -> None:
        """Count what one command is answered; raises `ImapError` where it is more than any that we ask for."""
        self._room -= size + _PIECE_BYTES
        if self._room < 0:
            raise ImapError("the server sends more than was asked for")

    async def _write(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()


def _is_ok(line: bytes) -> bool:
    status = _STATUS.match(line.partition(b" ")[2])
    return status is not None and status[1].upper() == b"OK"


def _quoted(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
