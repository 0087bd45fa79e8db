"""One live aiokafka producer: idempotent, acknowledged by all replicas, in order for each key."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from itertools import zip_longest
from typing import Any, Protocol

from aiokafka import AIOKafkaProducer
from aiokafka.errors import ProducerClosed

from chassis.kafka.closing import close_wholly
from chassis.kafka.partitioner import partition_for
from chassis.kafka.settings import KafkaSettings
from chassis.messages import Headers


class Writable(Protocol):
    """What can be written: `Outgoing`, or a dead letter, whose key and value may be null."""

    @property
    def topic(self) -> str:
        """Where it goes."""

    @property
    def key(self) -> bytes | None:
        """What decides the partition; null and empty go to the same one."""

    @property
    def value(self) -> bytes | None:
        """The payload."""

    @property
    def headers(self) -> Headers:
        """What stands beside it."""


class Producer:
    """Writes whole record batches, one partition at a time; after the first failure it is closed.

    An idempotent producer that failed can be dead for good (aiokafka #1017), and one that timed out still holds
    what it may write later, so there is no second try on the same one.
    """

    def __init__(self, settings: KafkaSettings, client_id: str) -> None:
        self._turns: defaultdict[tuple[str, int], asyncio.Lock] = defaultdict(asyncio.Lock)
        self._client = AIOKafkaProducer(
            **settings.connection(client_id),
            enable_idempotence=True,
            acks="all",
            linger_ms=0,
            max_batch_size=settings.max_batch_bytes,
            max_request_size=settings.max_record_bytes,
            compression_type=settings.compression,
        )

    async def start(self) -> None:
        """Connect and obtain a producer id; raises KafkaError when no broker answers."""
        try:
            await self._client.start()
        except BaseException:
            await self._client.stop()
            raise

    async def write(self, messages: Sequence[Writable], extra_headers: Headers) -> None:
        """Return when every message is acknowledged; a partition's next batch waits for the one before."""
        partitions = {m.topic: len(await self._client.partitions_for(m.topic)) for m in _one_per_topic(messages)}
        batches: dict[tuple[str, int], list[Any]] = {}
        for message in messages:
            key = message.key
            at = message.topic, partition_for(key if key is not None else b"", partitions[message.topic])
            self._append(batches.setdefault(at, []), message, extra_headers)
        for round_of_batches in zip_longest(*batches.values()):
            await self._write_round(zip(batches, round_of_batches, strict=True))

    def _append(self, batches: list[Any], message: Writable, extra_headers: Headers) -> None:
        record = {
            "timestamp": None,
            "key": message.key,
            "value": message.value,
            "headers": [*message.headers, *extra_headers],
        }
        if not batches or batches[-1].append(**record) is None:
            batches.append(self._client.create_batch())
            batches[-1].append(**record)

    async def _write_round(self, batches: Iterable[tuple[tuple[str, int], Any]]) -> None:
        acknowledgements = [await self._queue(at, batch) for at, batch in batches if batch is not None]
        await asyncio.gather(*acknowledgements)

    async def _queue(self, at: tuple[str, int], batch: Any) -> asyncio.Future[Any]:  # noqa: ANN401 - untyped
        """Queue a batch when it is its turn: aiokafka counts the time of writers that compete several times over."""
        topic, partition = at
        async with self._turns[at]:
            acknowledgement: asyncio.Future[Any] = await self._client.send_batch(batch, topic, partition=partition)
            return acknowledgement

    async def close(self) -> None:
        """Close without writing what is queued; whoever waits for an acknowledgement gets ProducerClosed.

        Every write is awaited, so what is queued was given up. aiokafka has no public way to drop it: its `stop`
        waits for the queue, forever when Kafka is away.
        """
        accumulator = self._client._message_accumulator  # noqa: SLF001
        queued = [batch for queue in accumulator._batches.values() for batch in queue]  # noqa: SLF001
        accumulator.fail_all(ProducerClosed())
        for batch in queued:
            for outcome in (batch.future, batch._drain_waiter):  # noqa: SLF001
                outcome.exception()  # so that asyncio does not report what nobody waits for
        sender = self._client._sender.sender_task  # noqa: SLF001
        if sender is not None:
            sender.cancel()
        await close_wholly(self._client.stop(), self._client.client)


def _one_per_topic(messages: Sequence[Writable]) -> Iterable[Writable]:
    return {message.topic: message for message in messages}.values()
