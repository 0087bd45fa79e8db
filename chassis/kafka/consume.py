"""Consumes batches into one idempotent transaction each: retries, dead letters, and commits only what is done."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from time import perf_counter
from typing import Generic, TypeVar

import structlog
from faststream import AckPolicy
from opentelemetry import trace

from chassis.errors import Crash, NeverRetry
from chassis.kafka import telemetry
from chassis.kafka.broker import Broker
from chassis.kafka.dead_letters import DeadLetters
from chassis.kafka.records import Raw, decode_all, next_offsets, unexpected
from chassis.kafka.refusal import refuse
from chassis.kafka.retry import Backoff, insist
from chassis.kafka.subscription import Subscription
from chassis.logging import canonical
from chassis.messages import Record, dead_letter_topic

T = TypeVar("T")
_log = structlog.get_logger(__name__)

Handle = Callable[[Sequence[T]], Awaitable[None]]


def consume_batches(  # noqa: PLR0913 - each is a decision of the caller, named at the call
    broker: Broker,
    *,
    topics: Sequence[str],
    group: str,
    decode: Callable[[Record], T],
    handle: Handle[T],
    dead_letters: DeadLetters,
    transient: tuple[type[BaseException], ...] = (),
    attempts: int = 5,
    batch_max_records: int = 500,
    backoff: Backoff = Backoff(),  # noqa: B008 - frozen
    ack_policy: AckPolicy | None = None,
) -> Subscription:
    """Register `handle` for batches of `topics`; it runs once `running(broker)` is entered.

    `decode` raises NeverRetry for a bad record: that one goes to the dead letters and the others go on. `handle`
    is ONE idempotent transaction, for a batch can come again. What it raises decides:

    - `transient`: the infrastructure is away; tried again without limit, and nothing is dead-lettered.
    - NeverRetry, or anything else `attempts` times: each record is handled alone, and only those that fail alone
      are dead-lettered.
    - Crash: the subscription ends, nothing is committed, `wait_failed` raises.

    The acknowledgement is FastStream's (NACK_ON_ERROR of the broker): batches run one at a time, so the position
    that it commits is exactly the end of the batch that was handled.
    """
    worker = _Worker(group, decode, handle, dead_letters, transient, attempts, backoff)
    worker.subscription = Subscription(
        broker,
        topics=topics,
        group=group,
        work=worker.work,
        ack_policy=ack_policy or broker.ack_policy,
        batch_max_records=batch_max_records,
        needed_topics=[dead_letter_topic(topic, group) for topic in topics],
    )
    return worker.subscription


@dataclass
class _Worker(Generic[T]):
    group: str
    decode: Callable[[Record], T]
    handle: Handle[T]
    dead_letters: DeadLetters
    transient: tuple[type[BaseException], ...]
    attempts: int
    backoff: Backoff
    subscription: Subscription = field(init=False)

    async def work(self, raws: tuple[Raw, ...]) -> None:
        started = perf_counter()
        topics = sorted({raw.topic for raw in raws})
        span = telemetry.start_span(topics, self.group, (raw.headers for raw in raws), len(raws))
        with (
            trace.use_span(span, end_on_exit=True, record_exception=False),
            canonical(_log, "batch_consumed", group=self.group, topics=topics, records=len(raws)) as line,
        ):
            refused = await self._consume(raws)
            line.bind(dead_lettered=refused)
        self.subscription.progress.done(next_offsets(raws))
        telemetry.count_batch(self.group, len(raws) - refused, perf_counter() - started)

    async def _consume(self, raws: tuple[Raw, ...]) -> int:
        """Return how many of the records were dead-lettered."""
        decoded = decode_all(raws, self.decode)
        await refuse(self.subscription, self.dead_letters, decoded.rejected, self.backoff)
        if not decoded.values:
            return len(decoded.rejected)
        return len(decoded.rejected) + await self._settle(decoded.sources, decoded.values)

    async def _settle(self, sources: Sequence[Raw], values: Sequence[T]) -> int:
        refusal = await self._handled(values)
        if refusal is None:
            self.dead_letters.good(len(values))
            return 0
        if len(values) == 1:
            await refuse(self.subscription, self.dead_letters, [(sources[0], refusal)], self.backoff)
            return 1
        return sum([await self._settle([source], [value]) for source, value in zip(sources, values, strict=True)])

    async def _handled(self, values: Sequence[T]) -> NeverRetry | None:
        """Handle, with retries; return why it cannot be done, or None when it is done."""
        error: Exception | None = None
        for delay in islice(self.backoff.delays(), self.attempts):
            try:
                await insist(
                    lambda: self.handle(values),
                    transient=self.transient,
                    waiting=self.subscription.waiting,
                    backoff=self.backoff,
                )
            except NeverRetry as refusal:
                return refusal
            except Crash:
                raise
            except Exception as failure:  # noqa: BLE001 - any other error counts as transient, a few times
                error = failure
                telemetry.count_retried(self.group, len(values), type(failure).__name__)
                _log.warning("batch_failed", group=self.group, records=len(values), exc_info=failure)
                await asyncio.sleep(delay)
            else:
                return None
        return unexpected("RETRIES_EXHAUSTED", error or AssertionError("no attempt"))
