"""The relay's work in one session: share the shards, publish the oldest rows of each, delete what is acknowledged."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

import structlog

from chassis.errors import Crash
from chassis.messages import Outgoing
from chassis.outbox.lane import Lane
from chassis.outbox.metrics import RelayMetrics
from chassis.outbox.session import OutboxRow, OutboxSession
from chassis.outbox.settings import RelaySettings

_log = structlog.get_logger(__name__)


class Publisher(Protocol):
    """Where the relay sends what it reads."""

    async def publish_all(self, messages: Sequence[Outgoing]) -> None:
        """Return once all are acknowledged, in order per key; raise when one is not, or may not be.

        `Crash` stops the relay, and with it the process; after anything else the messages are sent again.
        """


class Worker:
    """Publishes the shards that one session holds; each shard has one batch under way at most.

    Only `step` and `drain` talk to the database, so the session needs no lock; the batches run beside them and
    set `wake` when they end.
    """

    def __init__(
        self,
        session: OutboxSession,
        publisher: Publisher,
        settings: RelaySettings,
        metrics: RelayMetrics,
        wake: asyncio.Event,
    ) -> None:
        self._session = session
        self._publisher = publisher
        self._settings = settings
        self._metrics = metrics
        self._wake = wake
        self._lanes: dict[int, Lane] = {}
        self._leaving: set[int] = set()
        self._share_at = self._measure_at = 0.0

    def troubles(self) -> list[str]:
        """Answer why shards wait, for each that does."""
        return [trouble for lane in self._lanes.values() if (trouble := lane.trouble(_now()))]

    async def step(self) -> None:
        """Do once whatever is due, then wait until something more is: a batch's end, a hint, or the poll."""
        self._wake.clear()
        if self._session.is_lost():
            raise ConnectionResetError("the relay's session with PostgreSQL has ended")
        await self._settle()
        await self._share()
        await self._start_batches()
        await self._measure()
        await self._rest()

    async def drain(self) -> None:
        """Start nothing more; return when what is under way has ended and its rows are deleted."""
        while any(lane.is_busy() for lane in self._lanes.values()):
            self._wake.clear()
            await self._settle()
            await self._rest()

    async def abandon(self) -> None:
        """Stop the batches under way, because others may publish the shards from now on."""
        tasks = [lane.task for lane in self._lanes.values() if lane.task]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _settle(self) -> None:
        """Delete the rows of batches that ended; only then may their shards go on."""
        ended = [(lane, lane.task) for lane in self._lanes.values() if lane.task and lane.task.done()]
        acked = [row_id for _, task in ended for row_id in task.result()]
        if acked:
            await self._session.delete(acked)
            self._metrics.published(len(acked))
        for lane, _ in ended:
            lane.task = None

    async def _share(self) -> None:
        """Take shards that nobody holds, or leave some to a relay that has none, until each has its fair share."""
        if _now() < self._share_at:
            return
        self._share_at = _now() + self._settings.share_seconds
        surplus = await self._session.surplus()
        self._leaving = set(sorted(self._lanes)[len(self._lanes) - surplus :]) if surplus > 0 else set()
        if surplus < 0:
            self._lanes.update((shard, Lane()) for shard in await self._session.take(-surplus))

    async def _leave(self) -> None:
        """Give back what is to leave, once its batch has ended."""
        if left := [shard for shard in self._leaving if not self._lanes[shard].is_busy()]:
            await self._session.give_back(left)
            self._leaving.difference_update(left)
            for shard in left:
                del self._lanes[shard]

    async def _start_batches(self) -> None:
        await self._leave()
        limits = {
            shard: lane.limit(self._settings.batch_rows)
            for shard, lane in self._lanes.items()
            if lane.is_ready(_now()) and shard not in self._leaving
        }
        if not limits:
            return
        for shard, rows in (await self._session.oldest(limits, self._settings.batch_bytes)).items():
            lane = self._lanes[shard]
            lane.begin(asyncio.create_task(self._publish(shard, lane, rows)), _now())

    async def _publish(self, shard: int, lane: Lane, rows: Sequence[OutboxRow]) -> list[int]:
        """Answer the ids of the rows that Kafka has for certain: all, or none after a failure."""
        try:
            async with asyncio.timeout(self._settings.publish_timeout_seconds):
                await self._publisher.publish_all([row.message for row in rows])
        except Crash:
            raise
        except Exception as error:  # noqa: BLE001 - whatever it is, the rows stay and are tried again
            lane.failed(error, _now(), self._settings.backoff_max_seconds)
            _log_failure(shard, lane, rows[0])
            return []
        finally:
            self._wake.set()
        if lane.failures:
            _log.info("outbox_publish_recovered", shard=shard, failures=lane.failures)
            lane.succeeded()
        return [row.id for row in rows]

    async def _measure(self) -> None:
        if _now() >= self._measure_at:
            self._measure_at = _now() + self._settings.measure_seconds
            self._metrics.measured(await self._session.measure())

    async def _rest(self) -> None:
        try:
            async with asyncio.timeout(self._settings.poll_seconds):
                await self._wake.wait()
        except TimeoutError:
            return


def _log_failure(shard: int, lane: Lane, first: OutboxRow) -> None:
    """Log the failures 1, 2, 4, 8 and so on: an outage of an hour is not worth thousands of lines."""
    if lane.failures & (lane.failures - 1) == 0:
        _log.warning(
            "outbox_publish_failed",
            shard=shard,
            topic=first.message.topic,
            row_id=first.id,
            failures=lane.failures,
            reason=lane.reason,
        )


def _now() -> float:
    return asyncio.get_running_loop().time()
