"""The hot path: batches in, batches out, two in flight, and offsets committed after the acknowledgements."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Generic, TypeVar

import structlog
from faststream import AckPolicy
from opentelemetry import trace
from opentelemetry.trace import Span

from chassis.kafka import telemetry
from chassis.kafka.broker import Broker
from chassis.kafka.dead_letters import DeadLetters
from chassis.kafka.errors import PublishFailed
from chassis.kafka.publisher import Publisher
from chassis.kafka.records import Raw, next_offsets
from chassis.kafka.refusal import refuse
from chassis.kafka.retry import Backoff, insist
from chassis.kafka.step import Prepared, Result, Step, Transform
from chassis.kafka.subscription import Subscription
from chassis.messages import Record, dead_letter_topic

T = TypeVar("T")
_log = structlog.get_logger(__name__)


def pipe_batches(  # noqa: PLR0913 - each is a decision of the caller, named at the call
    broker: Broker,
    *,
    topics: Sequence[str],
    group: str,
    decode: Callable[[Record], T],
    transform: Transform[T] | Prepared[T],
    dead_letters: DeadLetters,
    output_topics: Sequence[str] = (),
    batch_max_records: int = 500,
    backoff: Backoff = Backoff(),  # noqa: B008 - frozen
    ack_policy: AckPolicy | None = None,
) -> Subscription:
    """Register `transform` between `topics` and Kafka; it runs once `running(broker)` is entered.

    `decode` and `transform` are pure and run off the event loop; a `Prepared` one looks something up in between. What
    they refuse by NeverRetry, or fail on, goes to the dead letters record by record. The outputs keep their order for
    each key; the chassis adds one `traceparent` per batch, so `transform` sets none. `output_topics` are checked at
    the start.

    While the acknowledgements of a batch are awaited the next one is transformed. Its offsets are committed
    explicitly (MANUAL) after them, so a crash repeats at most two batches and loses none. While Kafka is away the
    same batch is written again without limit.
    """
    policy = ack_policy or broker.ack_policy
    publisher = Publisher(broker.settings, client_id=broker.client_id)
    limit = broker.settings.max_record_bytes
    worker = _Worker(group, Step(decode, limit), transform, publisher, dead_letters, backoff)
    worker.subscription = Subscription(
        broker,
        topics=topics,
        group=group,
        work=worker.work,
        ack_policy=AckPolicy.MANUAL if policy is AckPolicy.NACK_ON_ERROR else policy,
        batch_max_records=batch_max_records,
        needed_topics=[*output_topics, *(dead_letter_topic(topic, group) for topic in topics)],
        on_close=publisher.close,
    )
    return worker.subscription


@dataclass
class _Worker(Generic[T]):
    group: str
    step: Step[T]
    transform: Transform[T] | Prepared[T]
    publisher: Publisher
    dead_letters: DeadLetters
    backoff: Backoff
    subscription: Subscription = field(init=False)
    settling: asyncio.Task[None] | None = None

    async def work(self, raws: tuple[Raw, ...]) -> None:
        """Transform this batch while the one before is settled; leave this one settling."""
        started = perf_counter()
        topics = sorted({raw.topic for raw in raws})
        span = telemetry.start_span(topics, self.group, (raw.headers for raw in raws), len(raws))
        with trace.use_span(span, end_on_exit=False):
            result = await self._transformed(raws)
            await refuse(self.subscription, self.dead_letters, result.refused, self.backoff)
        self.dead_letters.good(len(raws) - len(result.refused))
        await self._settled()
        if self.subscription.failure is None:
            self.settling = self.subscription.hold(self._settle(raws, result, span, started))

    async def _transformed(self, raws: tuple[Raw, ...]) -> Result:
        if not isinstance(self.transform, Prepared):
            return await asyncio.to_thread(self.step.run, raws, self.transform)
        decoded = await asyncio.to_thread(self.step.read, raws)
        if not decoded.values:
            return Result((), decoded.rejected)
        transform = await self._prepared(self.transform, decoded.values)
        return await asyncio.to_thread(self.step.finish, decoded, transform)

    async def _prepared(self, prepared: Prepared[T], values: Sequence[T]) -> Transform[T]:
        return await insist(
            lambda: prepared.prepare(values),
            transient=prepared.transient,
            waiting=self.subscription.waiting,
            backoff=self.backoff,
        )

    async def _settled(self) -> None:
        if self.settling is not None:
            await asyncio.wait({self.settling})

    async def _settle(self, raws: tuple[Raw, ...], result: Result, span: Span, started: float) -> None:
        """Write the outputs until they are acknowledged, then commit the inputs."""
        header = telemetry.traceparent_of(span)
        offsets = next_offsets(raws)
        with trace.use_span(span, end_on_exit=True, record_exception=False):
            await insist(
                lambda: self.publisher.publish_all(result.outgoing, extra_headers=header),
                transient=(PublishFailed,),
                waiting=self.subscription.waiting,
                backoff=self.backoff,
            )
            await self.subscription.commit(offsets)
        self.subscription.progress.done(offsets)
        duration = perf_counter() - started
        telemetry.count_batch(self.group, len(raws) - len(result.refused), duration)
        _log.info(
            "batch_piped",
            group=self.group,
            records=len(raws),
            written=len(result.outgoing),
            dead_lettered=len(result.refused),
            duration_ms=round(duration * 1_000, 1),
        )
