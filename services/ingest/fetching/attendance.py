"""One integration in one session: wait to lead, fetch, keep what came, move the position, begin again on failure."""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

import structlog

from chassis.clock import Clock
from services.ingest.accept import Acceptor
from services.ingest.fetching.coverage import Expectation, Reason
from services.ingest.fetching.pace import Backoff, Schedule
from services.ingest.fetching.reading import Reader
from services.ingest.fetching.session import FetchingSession, SessionLost
from services.ingest.fetching.source import FetchFailed, Frame, Source
from services.ingest.fetching.watch import Watch
from services.ingest.normalizer import Accepted
from services.ingest.refusals import Refused

_BATCH_POSTS = 200
_SAVE_SECONDS = 5.0
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Listener:
    """Where the payloads of an integration come from, how they become posts, and what is normal for it."""

    source: Source
    reader: Reader
    expectation: Expectation = field(default_factory=Expectation)


@dataclass(frozen=True, slots=True)
class Pace:
    """How patient fetching is."""

    backoff: Backoff = field(default_factory=Backoff)
    settled_seconds: float = 60.0
    """A connection that lived so long was a good one: what fails after it is a first failure."""
    lead_retry_seconds: float = 5.0
    """How often a replica tries to take over an integration that another one fetches."""
    watch_seconds: float = 15.0
    """How often coverage is judged."""
    roster_seconds: float = 5.0
    """How often we look which integrations there are."""
    reconnect_seconds: float = 1.0
    """How long we wait before we try PostgreSQL again."""


@dataclass(slots=True)
class Attendance:
    """The task of one integration in one session."""

    integration: str
    listener: Listener
    session: FetchingSession
    watch: Watch
    acceptor: Acceptor
    clock: Clock
    pace: Pace
    failures: int = 0

    async def run(self) -> None:
        """Fetch, and again after each failure, until the session ends."""
        while True:
            wait_seconds = await self._try()
            await asyncio.sleep(wait_seconds)

    async def _try(self) -> float:
        """Fetch until something fails; answers how many seconds to wait before the next try."""
        began = asyncio.get_running_loop().time()
        try:
            await self._lead()
            await self._fetch()
            failed = FetchFailed(Reason.UNREACHABLE, "the stream ended")
        except SessionLost:
            raise
        except FetchFailed as error:
            failed = error
        except Exception as error:  # noqa: BLE001 - a defect of one network must not silence the others
            failed = FetchFailed(Reason.UNREACHABLE, type(error).__name__)
            _log.error("fetch_failed_unexpectedly", integration=self.integration, exc_info=error)
        settled = asyncio.get_running_loop().time() - began >= self.pace.settled_seconds
        self.failures = 1 if settled else self.failures + 1
        self.watch.failed(self.integration, failed.reason)
        wait_seconds = self.pace.backoff.wait_seconds(self.failures, failed.retry_after_seconds)
        _log_failure(self.integration, self.failures, failed, wait_seconds)
        return wait_seconds

    async def _lead(self) -> None:
        """Wait until no other process fetches for the integration; once led, it is led while the session lives."""
        while not await self.session.lead(self.integration):  # noqa: ASYNC110 - the other process tells nobody
            await asyncio.sleep(Schedule(self.pace.lead_retry_seconds).wait_seconds())
        await self.watch.begin(self.integration, self.listener.reader.tenant, self.listener.expectation)

    async def _fetch(self) -> None:
        saved, saved_at = await self.session.position(self.integration), -_SAVE_SECONDS
        reached, loop = self.watch.reached(self.integration), asyncio.get_running_loop()
        async with aclosing(self.listener.source.frames(saved)) as frames:
            async for frame in frames:
                await self._keep(frame)
                if frame.missed:
                    await self.watch.missed(self.integration, frame.cursor, frame.missed, reached)
                    saved = frame.cursor
                if frame.missed or frame.complete:
                    reached = self.watch.reached(self.integration)
                # A stream moves on with everything that is said to others: that is worth no write each time.
                if frame.cursor != saved and (frame.payloads or loop.time() - saved_at >= _SAVE_SECONDS):
                    await self.session.move(self.integration, frame.cursor)
                    saved, saved_at = frame.cursor, loop.time()

    async def _keep(self, frame: Frame) -> None:
        """Return once the posts of a frame are durably kept: only then may the position move."""
        posts = [post for payload in frame.payloads for post in self.listener.reader.read(payload, self.clock())]
        fresh = 0
        for start in range(0, len(posts), _BATCH_POSTS):
            fresh += await self._accept(posts[start : start + _BATCH_POSTS])
        if frame.payloads:
            self.failures = 0
        self.watch.checked(self.integration, heard=fresh > 0)

    async def _accept(self, posts: Sequence[Accepted]) -> int:
        """Hand over until it is taken: the network would have to be asked again for what is in hand already."""
        failures = 0
        while True:
            try:
                return len((await self.acceptor.accept(posts)).accepted)
            except Refused as refused:
                failures += 1
                _log.warning("fetched_posts_wait", integration=self.integration, code=refused.problem.name)
                await asyncio.sleep(self.pace.backoff.wait_seconds(failures, refused.retry_after_seconds))


def _log_failure(integration: str, failures: int, failed: FetchFailed, wait_seconds: float) -> None:
    """Log the failures 1, 2, 4, 8 and so on."""
    if failures & (failures - 1) == 0:
        _log.warning(
            "fetch_failed",
            integration=integration,
            reason=failed.reason.name,
            problem=failed.message,
            failures=failures,
            wait_seconds=round(wait_seconds, 1),
        )
