"""Writes to Kafka and waits for every acknowledgement, through a producer that is rebuilt when it failed."""

import asyncio
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import structlog
from aiokafka.errors import KafkaError, MessageSizeTooLargeError, ProducerClosed, UnknownTopicOrPartitionError

from chassis.errors import Crash, NeverRetry
from chassis.kafka.errors import PublishFailed, PublishTimedOut
from chassis.kafka.producer import Producer, Writable
from chassis.kafka.settings import KafkaSettings
from chassis.messages import Headers, Outgoing

_log = structlog.get_logger(__name__)

RECORD_OVERHEAD_BYTES = 1_024
"""Room for what Kafka adds to a record: lengths, the batch header, the trace header."""


_ABANDON_SECONDS = 1.0


def too_large(message: Writable, limit_bytes: int) -> NeverRetry | None:
    """Why `message` cannot be written, or None when it fits."""
    size = len(message.key or b"") + len(message.value or b"") + RECORD_OVERHEAD_BYTES
    if size <= limit_bytes:
        return None
    return NeverRetry(
        "RECORD_TOO_LARGE",
        f"a record for {message.topic} has {size} bytes, KAFKA_MAX_RECORD_BYTES allows {limit_bytes}",
    )


class Publisher:
    """At-least-once writes in order for each key; connects at the first write, so Kafka may be away at start.

    After any failure the producer is abandoned and the next write builds another: publish the same messages
    again until it succeeds, and let receivers drop repeats by event id.
    """

    def __init__(self, settings: KafkaSettings, *, client_id: str) -> None:
        self._settings = settings
        self._client_id = client_id
        self._producer: Producer | None = None
        self._connecting = asyncio.Lock()
        self._closing: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def publish_all(self, messages: Sequence[Outgoing], *, extra_headers: Headers = ()) -> None:
        """Return when all `messages` are acknowledged by all in-sync replicas.

        `extra_headers` are added to each. Raises NeverRetry when a message is too large (nothing is written
        then), PublishTimedOut when it is unknown what was written, PublishFailed on any other failure.
        """
        for message in messages:
            if refusal := too_large(message, self._settings.max_record_bytes):
                raise refusal
        await self.write_all(messages, extra_headers)

    async def write_all(self, messages: Sequence[Writable], extra_headers: Headers = ()) -> None:
        """As `publish_all`, without the size check and for records whose key or value is null."""
        if not messages:
            return
        producer = await self._connected()
        writing = asyncio.create_task(producer.write(messages, extra_headers))
        try:
            await asyncio.wait({writing}, timeout=self._settings.publish_timeout_seconds)
            timed_out = not writing.done()
            if timed_out:
                self._abandon(producer)
                await asyncio.wait({writing}, timeout=_ABANDON_SECONDS)
        finally:
            writing.cancel()
        error = writing.exception() if writing.done() else ProducerClosed()
        if error is None:
            return
        self._abandon(producer)
        if timed_out:
            seconds = self._settings.publish_timeout_seconds
            raise PublishTimedOut(f"no acknowledgement of {len(messages)} records in {seconds:g} s") from error
        raise _explained(error, messages) from error

    async def close(self) -> None:
        """Close the producer; nobody waits for what may still be queued in it."""
        if self._producer is not None:
            self._close(self._producer)
        if self._closing:
            await asyncio.wait(self._closing, timeout=self._settings.drain_timeout_seconds)

    async def _connected(self) -> Producer:
        async with self._connecting:
            if self._producer is None:
                producer = Producer(self._settings, self._client_id)
                try:
                    await asyncio.wait_for(producer.start(), self._settings.publish_timeout_seconds)
                except (KafkaError, OSError, TimeoutError) as error:
                    servers = ", ".join(self._settings.bootstrap_servers)
                    raise PublishFailed(f"no Kafka broker answers at {servers}") from error
                self._producer = producer
            return self._producer

    def _abandon(self, producer: Producer) -> None:
        if self._producer is producer:
            _log.warning("producer_abandoned", client_id=self._client_id)
            self._close(producer)

    def _close(self, producer: Producer) -> None:
        self._producer = None
        closing = asyncio.create_task(producer.close())
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)


def _explained(error: BaseException, messages: Sequence[Writable]) -> BaseException:
    """What the failure of a write means for whoever asked for it."""
    if isinstance(error, UnknownTopicOrPartitionError):
        topics = ", ".join(sorted({message.topic for message in messages}))
        return PublishFailed(f"one of these topics does not exist: {topics}; create it")
    if isinstance(error, MessageSizeTooLargeError):
        return Crash(
            "Kafka refused a batch as too large: raise the topic's max.message.bytes or lower "
            "KAFKA_MAX_BATCH_BYTES and KAFKA_MAX_RECORD_BYTES"
        )
    if isinstance(error, KafkaError):
        return PublishFailed(f"{type(error).__name__} while {len(messages)} records were written")
    return error
