"""Polling: asking at intervals, page after page while there is more."""

import asyncio
import hashlib
from collections.abc import AsyncGenerator, Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple, Protocol

import msgspec
import structlog

from services.ingest.fetching.coverage import Missed, Reason
from services.ingest.fetching.cursors import read_cursor, write_cursor
from services.ingest.fetching.pace import Schedule
from services.ingest.fetching.source import FetchFailed, Frame

_KEPT_MARKS: Final = 300
_log = structlog.get_logger(__name__)


class Batch(NamedTuple):
    """The answer of one look."""

    payloads: Sequence[bytes]
    cursor: bytes
    more: bool = False
    """There is more already: look again at once."""
    wait_seconds: float = 0.0
    """The network wants no sooner look than this."""
    missed: Missed | None = None
    """Not all that was said since the last look can be had."""


class Poll(Protocol):
    """A network that is asked."""

    async def fetch(self, cursor: bytes | None) -> Batch:
        """Ask for what lies behind `cursor`; raises `FetchFailed`."""


class Polling:
    """A source that asks by a schedule."""

    def __init__(self, poll: Poll, schedule: Schedule) -> None:
        self._poll = poll
        self._schedule = schedule

    async def frames(self, cursor: bytes | None) -> AsyncGenerator[Frame, None]:
        """See `Source`."""
        while True:
            batch = await self._poll.fetch(cursor)
            yield Frame(batch.payloads, batch.cursor, not batch.more, batch.missed)
            cursor = batch.cursor
            if not batch.more:
                await asyncio.sleep(self._schedule.wait_seconds(batch.wait_seconds))


class Page(NamedTuple):
    """One page of a listing, newest items first."""

    payloads: Sequence[bytes]
    """As the network sent it, and behind it what had to be asked for beside it."""
    marks: Sequence[str]
    """What tells its items and their versions apart, such as "id" or "id@edited"."""
    next: str | None
    """How to ask for the page of older items; None: there is none."""
    threads: Mapping[str, str] = MappingProxyType({})
    """Items with answers that stand elsewhere, each with a sign that changes when there are new ones."""


class Listing(Protocol):
    """A listing that can only be read from its newest item backwards."""

    async def page(self, token: str | None) -> Page:
        """Ask for the page `token`, None being the newest; raises `FetchFailed`."""


class _Seen(msgspec.Struct):
    marks: list[str] = []
    digest: str = ""


class NewestFirst:
    """A poll that reads a listing back to what is known, and gives it oldest page first.

    The position moves only when all of it is kept, so what lies between two looks cannot be lost. Many marks are
    remembered, because the newest known item may be deleted. The first look reads one page: history is not asked for.
    """

    def __init__(self, integration: str, listing: Listing, *, max_pages: int = 20) -> None:
        self._integration = integration
        self._listing = listing
        self._max_pages = max_pages

    async def fetch(self, cursor: bytes | None) -> Batch:
        """See `Poll`."""
        seen = read_cursor(cursor, _Seen)
        pages, missed = await self._read_back(seen)
        marks = dict.fromkeys([*(mark for page in pages for mark in page.marks), *seen.marks])
        digest = hashlib.sha256(b"".join(pages[0].payloads)).hexdigest()
        now = write_cursor(_Seen([*marks][:_KEPT_MARKS], digest))
        unchanged = len(pages) == 1 and digest == seen.digest
        payloads = () if unchanged else [each for page in reversed(pages) for each in page.payloads]
        return Batch(payloads, now, missed=missed)

    async def _read_back(self, seen: _Seen) -> tuple[list[Page], Missed | None]:
        pages = [await self._listing.page(None)]
        while seen.digest and set(seen.marks).isdisjoint(pages[-1].marks):
            if len(pages) == self._max_pages:
                # The networks end their listings too: what is older than this was lost, and that must be visible.
                _log.warning("fetch_did_not_reach_what_is_known", integration=self._integration, pages=len(pages))
                return pages, Missed.LISTING_TOO_LONG
            if not pages[-1].next:
                break
            pages.append(await self._listing.page(pages[-1].next))
        return pages, None


class ThreadedListing(Listing, Protocol):
    """A listing whose pages name threads, which can be asked for."""

    async def answers(self, thread: str, since: str) -> Sequence[bytes]:
        """Ask for the answers in a thread, at least those behind the sign `since`, "" being the first time.

        Raises `FetchFailed`.
        """


class _Threads(msgspec.Struct):
    listing: bytes | None = None
    read: dict[str, str] = {}
    waiting: dict[str, str] = {}


class Threaded:
    """A poll that reads a listing newest first, and then one thread a look, where its sign has changed.

    What waits to be read stands in the position: a look that fails costs what it asked for, never what waits behind.
    """

    def __init__(self, integration: str, listing: ThreadedListing, *, max_pages: int = 20) -> None:
        self._listing = listing
        self._items = NewestFirst(integration, self, max_pages=max_pages)
        self._found: dict[str, str] = {}

    async def page(self, token: str | None) -> Page:
        """See `Listing`: the page, whose threads are noted."""
        page = await self._listing.page(token)
        self._found.update(page.threads)
        return page

    async def fetch(self, cursor: bytes | None) -> Batch:
        """See `Poll`."""
        threads = read_cursor(cursor, _Threads)
        if threads.waiting:
            return await self._read_one(threads)
        self._found.clear()
        batch = await self._items.fetch(threads.listing)
        threads.listing = batch.cursor
        threads.waiting = {name: sign for name, sign in self._found.items() if threads.read.get(name) != sign}
        return Batch(batch.payloads, write_cursor(threads), bool(threads.waiting), missed=batch.missed)

    async def _read_one(self, threads: _Threads) -> Batch:
        name, sign = next(iter(threads.waiting.items()))
        payloads: Sequence[bytes] = ()
        try:
            payloads = await self._listing.answers(name, threads.read.pop(name, ""))
        except FetchFailed as failed:
            if failed.reason is not Reason.CLOSED:
                raise
            _log.info("fetched_thread_is_gone", status=failed.status)
        del threads.waiting[name]
        threads.read = dict([*threads.read.items(), (name, sign)][-_KEPT_MARKS:])
        return Batch(payloads, write_cursor(threads), more=bool(threads.waiting))


class _Cursors(msgspec.Struct):
    by_name: dict[str, bytes] = {}


class InTurn:
    """Several polls as one: each look asks one of them, and a round of all of them is one look of the schedule."""

    def __init__(self, polls: Mapping[str, Poll]) -> None:
        self._polls = polls
        self._waiting = list[str]()

    async def fetch(self, cursor: bytes | None) -> Batch:
        """See `Poll`."""
        self._waiting = self._waiting or list(self._polls)
        name = self._waiting.pop(0)  # one that fails waits for the next round
        cursors = read_cursor(cursor, _Cursors).by_name
        batch = await self._polls[name].fetch(cursors.get(name))
        if batch.more:
            self._waiting.insert(0, name)
        now = write_cursor(_Cursors({**cursors, name: batch.cursor}))
        return Batch(batch.payloads, now, bool(self._waiting), batch.wait_seconds, batch.missed)
