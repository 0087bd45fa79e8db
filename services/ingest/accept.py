"""Durable accept by group commit: requests wait for the one transaction that carries them all.

While a commit is under way the next batch gathers, so the batch grows with the load and nobody waits for a timer.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import NamedTuple, Protocol
from uuid import UUID

import structlog
from opentelemetry import trace
from opentelemetry.trace import Link

from chassis.logging import canonical
from chassis.postgres import POSTGRES_UNAVAILABLE
from chassis.semantics import DB_OPERATION_BATCH_SIZE
from services.ingest import metrics
from services.ingest.normalizer import Accepted
from services.ingest.refusals import Problem, Refused
from services.ingest.settings import AcceptSettings
from services.ingest.store import Entry, entry_of

Keep = Callable[[Sequence[Entry]], Awaitable[set[UUID]]]
"""Keeps posts in one transaction; answers the event ids that were new."""

_RETRY_AFTER_SECONDS = 2.0
_log = structlog.get_logger(__name__)
_tracer = trace.get_tracer(__name__)


class Receipt(NamedTuple):
    """What became of the posts of one request, by event id, in their order."""

    accepted: list[UUID]
    duplicates: list[UUID]
    """Kept already, by an earlier request or earlier in this one: nothing more will happen to them."""


class Acceptor(Protocol):
    """Where a way in hands over its posts."""

    async def accept(self, posts: Sequence[Accepted]) -> Receipt:
        """Return once all posts are durably kept.

        Raises `Refused` (STORE_UNAVAILABLE, ACCEPT_QUEUE_FULL) where they may not be: sending them again is safe.
        """


class _Waiting(NamedTuple):
    entries: list[Entry]
    receipt: asyncio.Future[Receipt]
    span: trace.SpanContext


class GroupCommit:
    """One writer for all requests of the process; `run` it beside them."""

    def __init__(self, keep: Keep, settings: AcceptSettings, *, on_commit: Callable[[], None]) -> None:
        self._keep = keep
        self._settings = settings
        self._on_commit = on_commit
        self._queue: deque[_Waiting] = deque()
        self._queued_posts = 0
        self._arrived = asyncio.Event()
        self._trouble: str | None = None
        self._ended = False

    async def accept(self, posts: Sequence[Accepted]) -> Receipt:
        """Queue the posts and wait for their commit; see `Acceptor`."""
        if self._ended:
            raise _unknown_outcome()
        if self._queued_posts + len(posts) > self._settings.max_waiting_posts:
            detail = "Send it again in a few seconds: posts arrive faster than they can be kept."
            raise Refused(Problem.ACCEPT_QUEUE_FULL, detail, retry_after_seconds=_RETRY_AFTER_SECONDS)
        receipt: asyncio.Future[Receipt] = asyncio.get_running_loop().create_future()
        # Encoding happens here and not in the writer: it fills the time in which a commit is waited for.
        entries = [entry_of(post) for post in posts]
        self._queue.append(_Waiting(entries, receipt, trace.get_current_span().get_span_context()))
        self._queued_posts += len(posts)
        self._arrived.set()
        return await receipt

    async def run(self) -> None:
        """Commit batch after batch until cancelled; whoever still waits then is refused."""
        batch: list[_Waiting] = []
        try:
            while True:
                await self._arrived.wait()
                batch = self._next_batch()
                await self._commit(batch)
        finally:
            self._ended = True
            _refuse([*batch, *self._queue])

    def trouble(self) -> str | None:
        """Why the last commit failed, or None: a check for `Health.add_degradation`."""
        return self._trouble

    def _next_batch(self) -> list[_Waiting]:
        """Take whole requests, in order, up to the size of a batch; a request larger than it goes alone."""
        batch = [self._queue.popleft()]
        posts = len(batch[0].entries)
        while self._queue and posts + len(self._queue[0].entries) <= self._settings.batch_posts:
            batch.append(self._queue.popleft())
            posts += len(batch[-1].entries)
        self._queued_posts -= posts
        if not self._queue:
            self._arrived.clear()
        return batch

    async def _commit(self, batch: list[_Waiting]) -> None:
        """Answer every request of the batch. Whatever fails, the writer lives: the next batch may succeed."""
        try:
            fresh = await self._keep_in_time(batch)
        except Exception as error:  # noqa: BLE001 - the outcome is unknown, which 503 and the dedupe key cover
            self._trouble = f"posts cannot be kept ({type(error).__name__})"
            if not isinstance(error, POSTGRES_UNAVAILABLE):
                _log.error("commit_failed_unexpectedly", exc_info=error)
            _refuse(batch)
            return
        self._trouble = None
        self._on_commit()
        for waiting in batch:
            if not waiting.receipt.done():  # the sender may have gone
                waiting.receipt.set_result(_receipt(waiting.entries, fresh))

    async def _keep_in_time(self, batch: list[_Waiting]) -> set[UUID]:
        entries = [entry for waiting in batch for entry in waiting.entries]
        links = [Link(waiting.span) for waiting in batch if waiting.span.trace_flags.sampled]
        with (
            canonical(_log, "posts_kept", requests=len(batch), posts=len(entries)) as line,
            _tracer.start_as_current_span(
                "keep posts",
                links=links,
                attributes={DB_OPERATION_BATCH_SIZE: len(entries)},
                record_exception=False,
            ),
        ):
            async with asyncio.timeout(self._settings.commit_timeout_seconds):
                fresh = await self._keep(entries)
            line.bind(accepted=len(fresh), duplicates=len(entries) - len(fresh))
        metrics.kept(len(fresh), len(entries) - len(fresh))
        return fresh


def _receipt(entries: Sequence[Entry], fresh: set[UUID]) -> Receipt:
    """Divide the posts of a request; removes what it accepts from `fresh`, so that repeats are duplicates."""
    receipt = Receipt([], [])
    for entry in entries:
        event_id = entry.columns.event_id
        (receipt.accepted if event_id in fresh else receipt.duplicates).append(event_id)
        fresh.discard(event_id)
    return receipt


def _refuse(batch: Sequence[_Waiting]) -> None:
    for waiting in batch:
        if not waiting.receipt.done():
            waiting.receipt.set_exception(_unknown_outcome())


def _unknown_outcome() -> Refused:
    detail = "Send it again: it may or may not have been kept, and what was kept is recognised."
    return Refused(Problem.STORE_UNAVAILABLE, detail, retry_after_seconds=_RETRY_AFTER_SECONDS)
