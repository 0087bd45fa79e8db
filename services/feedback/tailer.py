"""Keeps the tail current: one reader of the log per process, however many streams there are."""

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from time import monotonic
from typing import Final

import asyncpg
import structlog

from chassis.postgres import POSTGRES_UNAVAILABLE, Pool
from services.feedback.cursors import Position
from services.feedback.filters import Filter
from services.feedback.settings import WatchSettings
from services.feedback.store.log import MAX_PAGE_BYTES, Entry, LogState, log_state, read_log
from services.feedback.tail import Tail

_READ_ROWS: Final = 500
_SCAN_ROWS: Final = 20_000
"""How much of the log one statement looks through: a narrow filter must not make it slow."""
_STALE_AFTER_POLLS: Final = 20
_NOT_NOW: Final[tuple[type[BaseException], ...]] = (
    *POSTGRES_UNAVAILABLE,
    asyncpg.InterfaceError,  # a pooled connection died while it was lent or given back
    asyncpg.QueryCanceledError,
)
"""What the next look may find mended."""
_log = structlog.get_logger(__name__)


class Tailer:
    """Streams read pages through it and wait for `changed`; a commit of this process wakes it by `hint`."""

    def __init__(self, pool: Pool, settings: WatchSettings) -> None:
        self._pool = pool
        self._settings = settings
        self._tail = Tail(max_rows=settings.tail_rows, max_bytes=settings.tail_bytes)
        self._state = LogState(epoch=0, head=0, complete_through=None)
        self._refreshed_at = 0.0
        self._refreshing = asyncio.Lock()
        self._wake = asyncio.Event()
        self._watchers = 0
        self.changed = asyncio.Event()
        """Set when the log has grown or was rebuilt, and replaced by a new one: take it before you look."""

    @property
    def state(self) -> LogState:
        """The log as it was when it was last looked at."""
        return self._state

    @property
    def is_current(self) -> bool:
        """False while the store cannot be asked: then nobody knows whether they have caught up."""
        return monotonic() - self._refreshed_at < max(1.0, _STALE_AFTER_POLLS * self._settings.poll_seconds)

    def hint(self) -> None:
        """Something was committed."""
        self._wake.set()

    async def run(self) -> None:
        """Look at the log at every hint and every `poll_seconds`, while anybody watches; until cancelled."""
        while True:
            await self._next_look()
            if not self._watchers:
                continue
            try:
                await self.refresh()
            except _NOT_NOW as error:
                _log.warning("insight_log_unreachable", error_class=type(error).__name__)

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Keep the tail current inside the block."""
        self._watchers += 1
        try:
            yield
        finally:
            self._watchers -= 1

    async def refresh(self) -> LogState:
        """Bring the tail up to the log as it is now."""
        async with self._refreshing:
            state = await log_state(self._pool)
            before = self._state
            news = await self._news(self._tail.head, state.head) if self._goes_on(state) else None
            # No await from here on: no stream may see a tail that is ahead of the state.
            if news is None:
                self._tail.restart(state.head)
            else:
                self._tail.extend(news, state.head)
            self._state, self._refreshed_at = state, monotonic()
            if (state.epoch, state.head) != (before.epoch, before.head):
                self.changed.set()
                self.changed = asyncio.Event()
            return state

    async def page(self, position: Position, tenant: str, narrowed: Filter, *, limit: int) -> tuple[list[Entry], int]:
        """Up to `limit` entries behind `position`, and the seq up to which there are no others.

        From memory where it reaches back so far, else from the store.
        """
        if position.seq >= self._tail.floor:
            return self._tail.read(position.seq, tenant, narrowed, limit=limit, max_bytes=MAX_PAGE_BYTES)
        upto = min(self._tail.head, position.seq + _SCAN_ROWS)
        entries = await read_log(self._pool, tenant, narrowed, position.seq, upto, limit=limit)
        return entries, entries[-1].seq if _is_cut(entries, limit) else upto

    def _goes_on(self, state: LogState) -> bool:
        """Whether the log is the one that the tail holds the end of, and not too far ahead of it.

        A head that fell back is that of a standby which took over before it had everything.
        """
        ahead = state.head - self._tail.head
        return state.epoch == self._state.epoch and 0 <= ahead <= self._settings.tail_rows

    async def _news(self, after: int, head: int) -> list[Entry] | None:
        """What stands between the two; None where that weighs more than the tail may hold."""
        news: list[Entry] = []
        weight = 0
        while after < head:
            if weight > self._settings.tail_bytes:
                return None
            entries = await read_log(self._pool, None, Filter(), after, head, limit=_READ_ROWS)
            after = entries[-1].seq if _is_cut(entries, _READ_ROWS) else head
            news += entries
            weight += _weight(entries)
        return news

    async def _next_look(self) -> None:
        try:
            async with asyncio.timeout(self._settings.poll_seconds):
                await self._wake.wait()
        except TimeoutError:
            return
        self._wake.clear()


def _is_cut(entries: Sequence[Entry], limit: int) -> bool:
    """Whether a page ended because it was full."""
    return len(entries) == limit or _weight(entries) >= MAX_PAGE_BYTES


def _weight(entries: Sequence[Entry]) -> int:
    return sum(entry.size_bytes for entry in entries)
