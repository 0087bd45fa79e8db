"""One FastStream batch subscriber and what stands around it: drain on rebalance, failure, progress."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from typing import Any, TypeAlias

import structlog
from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import CommitFailedError, ConsumerStoppedError, IllegalStateError, KafkaError
from faststream import AckPolicy
from faststream.exceptions import NackMessage
from faststream.kafka.message import KafkaMessage

from chassis.errors import Crash
from chassis.kafka import telemetry
from chassis.kafka.broker import Broker
from chassis.kafka.progress import Position, Progress
from chassis.kafka.records import Raw, first_offsets

_log = structlog.get_logger(__name__)

Work: TypeAlias = Callable[[tuple[Raw, ...]], Coroutine[Any, Any, None]]

_NOWHERE = TopicPartition("", 0)
_POLL_SECONDS = 1.0
_WATCH_SECONDS = 2.0
_OBSERVE_SECONDS = 5.0
_BATCH_TIMEOUT_MS = 20
"""FastStream is deaf for as long again after an empty poll, so this bounds the delay of a sparse topic."""


class Subscription:
    """Hands each batch to `work`, one at a time; what `work` raises ends the subscription, with nothing committed.

    FastStream acknowledges after `work` under NACK_ON_ERROR; under MANUAL the work commits by `commit`.
    """

    def __init__(  # noqa: PLR0913 - built by consume_batches and pipe_batches only
        self,
        broker: Broker,
        *,
        topics: Sequence[str],
        group: str,
        work: Work,
        ack_policy: AckPolicy,
        batch_max_records: int,
        needed_topics: Sequence[str] = (),
        on_close: Callable[[], Awaitable[None]] | None = None,
        progress: Progress | None = None,
    ) -> None:
        self.topics = tuple(topics)
        self.group = group
        self.needed_topics = (*topics, *needed_topics)
        self.progress = progress or Progress()
        self.failure: BaseException | None = None
        self._failed = asyncio.Event()
        self._work = work
        self._ack_policy = ack_policy
        self._on_close = on_close
        self._drain_seconds = broker.settings.drain_timeout_seconds
        self._in_flight: set[asyncio.Task[None]] = set()
        self._watching: asyncio.Task[None] | None = None
        self._subscriber: Any = broker.subscriber(
            *self.topics,
            batch=True,
            group_id=group,
            max_records=batch_max_records,
            batch_timeout_ms=_BATCH_TIMEOUT_MS,
            auto_offset_reset="earliest",
            session_timeout_ms=broker.settings.session_timeout_ms,
            heartbeat_interval_ms=broker.settings.heartbeat_interval_ms,
            max_poll_interval_ms=broker.settings.max_poll_interval_ms,
            listener=_Listener(self),
            parser=self._parse,
            decoder=_raw_records,
            ack_policy=ack_policy,
            no_reply=True,
        )
        self._subscriber(self._on_batch)
        broker.subscriptions.append(self)

    async def wait_failed(self) -> None:
        """Raise what ended the subscription; does not return while it works. The process must then stop."""
        await self._failed.wait()
        if self.failure is not None:
            raise self.failure

    def hold(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run `work` as in flight: a stop and a rebalance wait for it up to the drain timeout, then cancel it."""
        self._subscriber.lock.acquire()
        task = asyncio.create_task(work)
        self._in_flight.add(task)
        task.add_done_callback(self._released)
        return task

    async def commit(self, next_offsets: dict[Position, int]) -> None:
        """Commit explicit offsets; of partitions that were revoked meanwhile nothing, they are done again."""
        if self._ack_policy is not AckPolicy.MANUAL:
            return
        consumer = self._subscriber.consumer
        offsets = {TopicPartition(*at): offset for at, offset in next_offsets.items()}
        assigned = consumer.assignment() if consumer is not None else set()
        kept = {at: offset for at, offset in offsets.items() if at in assigned}
        if not kept:
            return
        try:
            await consumer.commit(kept)
        except (CommitFailedError, IllegalStateError) as error:
            _log.warning("commit_given_up", group=self.group, error_class=type(error).__name__)
        except KafkaError as error:
            raise Crash(f"group {self.group} cannot commit: {type(error).__name__}") from error

    async def waiting(self, error: BaseException | None) -> None:
        """Work waits because of `error` (None: no more); poll meanwhile, so that the group keeps this member."""
        name = type(error).__name__ if error is not None else None
        if name != self.progress.waiting_for:
            _log.warning("infrastructure_wait", group=self.group, waiting_for=name)
        self.progress.wait_for(name)
        if name is not None:
            with suppress(KafkaError, ConsumerStoppedError, TimeoutError):
                await asyncio.wait_for(self._subscriber.consumer.getmany(_NOWHERE), _POLL_SECONDS)

    def start_watch(self) -> None:
        """Watch for a dead consume loop and keep the lag current, until `stop_watch`."""
        self._watching = asyncio.create_task(self._watch())
        self._watching.add_done_callback(self._report)

    def stop_watch(self) -> None:
        """What ends from now on, ends on purpose."""
        if self._watching is not None:
            self._watching.cancel()

    async def drain(self) -> None:
        """Let work in flight end; cancel at once what only waits for absent infrastructure, the rest at a deadline."""
        if self.progress.waiting_for is None:
            await self._subscriber.lock.wait_release(self._drain_seconds)
        await self._cancel_in_flight()

    async def close(self) -> None:
        """Cancel what outlived the drain of the broker's stop, and close what the work holds open."""
        await self._cancel_in_flight()
        if self._on_close is not None:
            await self._on_close()

    async def _on_batch(self, raws: tuple[Raw, ...]) -> None:
        if self.failure is not None:
            self._pause()
            raise NackMessage
        self.progress.begin(first_offsets(raws))
        try:
            await self.hold(self._work(raws))
        except asyncio.CancelledError:
            if (task := asyncio.current_task()) is not None and task.cancelling():
                raise
            raise NackMessage from None
        except Exception:  # noqa: BLE001 - `_released` has recorded it
            raise NackMessage from None

    async def _parse(self, raws: tuple[Raw, ...]) -> KafkaMessage:
        """Wrap the batch without touching a record: FastStream's parser skips one whose header is not UTF-8."""
        wrap: type[KafkaMessage] = self._subscriber.parser.msg_class
        return wrap(body=raws, raw_message=raws, path={}, consumer=self._subscriber.consumer)

    def _released(self, task: asyncio.Task[None]) -> None:
        self._in_flight.discard(task)
        self._subscriber.lock.release()
        self._report(task)

    def _report(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fail(error)

    def _fail(self, error: BaseException) -> None:
        if self.failure is None:
            _log.error("subscription_failed", group=self.group, exc_info=error)
            self.failure = error
            self._failed.set()
        self._pause()

    def _pause(self) -> None:
        consumer = self._subscriber.consumer
        if consumer is not None:
            consumer.pause(*consumer.assignment())

    async def _cancel_in_flight(self) -> None:
        tasks = set(self._in_flight)
        for task in tasks:
            task.cancel()
        if tasks:
            _log.warning("work_abandoned", group=self.group, batches=len(tasks))
            await asyncio.wait(tasks)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(_WATCH_SECONDS)
            self._check_loop()
            await self._observe()

    def _check_loop(self) -> None:
        """FastStream starts a dead consume loop again at once, into the same error: end the subscription instead."""
        for loop in self._subscriber.tasks:
            if loop.done() and not loop.cancelled() and (error := loop.exception()) is not None:
                self._fail(error if isinstance(error, Crash) else self._died_of(error))

    def _died_of(self, error: BaseException) -> Crash:
        crash = Crash(
            f"the consume loop of group {self.group} on {', '.join(self.topics)} died of {type(error).__name__}"
        )
        crash.__cause__ = error
        return crash

    async def _observe(self) -> None:
        consumer = self._subscriber.consumer
        if consumer is None or not (assigned := list(consumer.assignment())):
            return
        try:
            async with asyncio.timeout(_OBSERVE_SECONDS):
                ends = await consumer.end_offsets(assigned)
                positions = {at: await consumer.position(at) for at in assigned}
        except (KafkaError, IllegalStateError, TimeoutError):
            self.progress.cannot_tell()
            return
        self.progress.observe(_plain(ends), _plain(positions))
        telemetry.report_lag(self.group, self.progress.lag)


class _Listener(ConsumerRebalanceListener):  # type: ignore[misc]
    """Finishes and commits what is in flight before its partitions go to another member."""

    def __init__(self, subscription: Subscription) -> None:
        self._subscription = subscription

    async def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        await self._subscription.drain()
        self._subscription.progress.forget({tuple(at) for at in revoked})

    async def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:
        """Nothing to prepare: positions come from the committed offsets."""


async def _raw_records(message: KafkaMessage) -> tuple[Raw, ...]:
    return message.raw_message


def _plain(offsets: dict[TopicPartition, int]) -> dict[Position, int]:
    return {(at.topic, at.partition): offset for at, offset in offsets.items()}
