"""Reading a mailbox by IMAP: what came since, then IDLE until more comes. It marks, moves and deletes nothing."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import msgspec

from chassis.clock import Clock
from chassis.outbound import OutboundClient
from services.ingest.fetching.coverage import Reason
from services.ingest.fetching.cursors import read_cursor, write_cursor
from services.ingest.fetching.imap import ImapClient, ImapError, LoginRefused
from services.ingest.fetching.imap import Mailbox as Opened
from services.ingest.fetching.source import FetchFailed, Frame

MAX_MESSAGE_BYTES: Final = 5 * 1024 * 1024
"""What is longer is cut: attachments stand last, and nobody says so much."""
_PORT: Final = 993
_BATCH_MESSAGES: Final = 20
_BATCH_BYTES: Final = 5 * 1024 * 1024
_POLL_SECONDS: Final = 60.0
_OVERLAP: Final = timedelta(days=2)
"""Days are the servers' own, in their zones, and mail may be delivered late."""
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(frozen=True, slots=True)
class MailboxAccess:
    """Where a mailbox is and who reads it."""

    url: str
    """imaps://host:port"""
    user: str
    secret: str
    folder: str = "INBOX"
    oauth: bool = False
    idle_seconds: float = 300.0
    """When IDLE is begun anew: servers end it after 30 minutes, and a dead connection shows by it.

    Servers without IDLE are asked as often, and at least once a minute.
    """


class _Position(msgspec.Struct):
    uid_validity: int = 0
    uid: int = 0
    """The last one read."""
    day: datetime | None = None
    """When that was, in case the server renumbers everything."""


class Mailbox:
    """One mailbox. What lies there at the first look was answered, or not, before we came: it is left alone.

    Of it the newest `first_messages` are given nevertheless.
    """

    def __init__(self, access: MailboxAccess, http: OutboundClient, clock: Clock, *, first_messages: int = 0) -> None:
        self._access = access
        self._http = http
        self._clock = clock
        self._first_messages = first_messages

    async def frames(self, cursor: bytes | None) -> AsyncGenerator[Frame, None]:
        """See `Source`; ends only by failing."""
        position = read_cursor(cursor, _Position)
        try:
            dialled = await self._http.connect(self._access.url, default_port=_PORT)
            async with await ImapClient.greet(dialled) as client:
                await self._login(client)
                idles = "IDLE" in await client.capabilities()
                await self._begin(client, position)
                while True:
                    async with aclosing(self._new(client, position)) as frames:
                        async for frame in frames:
                            yield frame
                    if not client.news:
                        await self._wait(client, idles=idles)
        except LoginRefused as error:
            raise FetchFailed(Reason.AUTH_FAILED, str(error)) from error
        except ImapError as error:
            raise FetchFailed(Reason.UNREACHABLE, str(error)) from error
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            raise FetchFailed(Reason.UNREACHABLE, type(error).__name__) from error

    async def _login(self, client: ImapClient) -> None:
        login = client.login_oauth if self._access.oauth else client.login
        await login(self._access.user, self._access.secret)

    async def _begin(self, client: ImapClient, position: _Position) -> None:
        """Open the folder and set the position where it was never set, or where the server has numbered anew."""
        opened = await client.examine(self._access.folder)
        if position.uid_validity == opened.uid_validity:
            return
        position.uid_validity, position.uid = opened.uid_validity, await self._last(client, opened)
        if position.day is not None:
            since = position.day - _OVERLAP
            recent = await client.search(f"SINCE {since.day}-{_MONTHS[since.month - 1]}-{since.year}")
            position.uid = min([each - 1 for each in recent], default=position.uid)

    async def _last(self, client: ImapClient, opened: Opened) -> int:
        if self._first_messages:
            return max((await client.search("ALL"))[: -self._first_messages], default=0)
        if opened.uid_next is not None:
            return opened.uid_next - 1
        return max(await client.search("ALL"), default=0)

    async def _new(self, client: ImapClient, position: _Position) -> AsyncGenerator[Frame, None]:
        """Give what lies behind the position in batches, and at last what is left, be it nothing."""
        found = await client.search(f"UID {position.uid + 1}:*")
        # A range that begins behind the last message means the last message.
        messages, size = list[bytes](), 0
        for uid in (each for each in found if each > position.uid):
            message = await client.fetch(uid, MAX_MESSAGE_BYTES)
            position.uid = uid
            if message is not None:
                messages.append(message)
                size += len(message)
            if len(messages) == _BATCH_MESSAGES or size > _BATCH_BYTES:
                yield self._frame(messages, position)
                messages, size = [], 0
        yield self._frame(messages, position, complete=True)

    def _frame(self, messages: list[bytes], position: _Position, *, complete: bool = False) -> Frame:
        position.day = self._clock().replace(hour=0, minute=0, second=0, microsecond=0)
        return Frame(tuple(messages), write_cursor(position), complete)

    async def _wait(self, client: ImapClient, *, idles: bool) -> None:
        if idles:
            await client.idle(self._access.idle_seconds)
        else:
            await asyncio.sleep(min(self._access.idle_seconds, _POLL_SECONDS))
