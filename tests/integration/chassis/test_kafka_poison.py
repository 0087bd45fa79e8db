"""A bad record stops nothing and is not lost: it lies in its dead letters with its original bytes."""

import asyncio
import struct
from collections.abc import Sequence
from contextlib import suppress

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition
from aiokafka.record.util import calc_crc32c

from chassis.errors import Crash, NeverRetry
from chassis.kafka import Broker, DeadLetters, Subscription, build_broker, consume_batches, pipe_batches, running
from chassis.messages import Outgoing, Record
from tests.integration.chassis.kafka_sandbox import Sandbox, Seen, numbered, sandbox, until

pytestmark = pytest.mark.integration

CHECKSUM_AT = 17
TEN_MIB = 10 * 1024 * 1024
POISON = {
    "truncated": (b"k", b"\x0a\xff\x01", []),
    "null value": (b"k", None, []),
    "null key": (None, b"poison", []),
    "header that is not UTF-8": (b"k", b"poison", [("content-type", b"\xff\xfe"), ("ce_id", b"\x80")]),
    "null header": (b"k", b"poison", [("content-type", None)]),
    "10 MiB": (b"k", b"x" * TEN_MIB, []),
}
Poison = tuple[bytes | None, bytes | None, list[tuple[str, bytes | None]]]


def decode(record: Record) -> Record:
    """Accept digits only, and read every header as text, as a careless decoder would."""
    if record.key is None or record.value is None or not record.value.isdigit():
        raise NeverRetry("MALFORMED", "not a number")
    for _, value in record.headers:
        value.decode()
    return record


async def write_poison(box: Sandbox, poison: Poison) -> None:
    """One good record, the poison, and another good one, all in one partition."""
    key, value, headers = poison
    producer = AIOKafkaProducer(bootstrap_servers=list(box.settings.bootstrap_servers), max_request_size=2 * TEN_MIB)
    async with producer:
        await producer.send_and_wait(box.source, b"1", key=b"k", partition=0)
        await producer.send_and_wait(box.source, value, key=key, partition=0, headers=headers)
        await producer.send_and_wait(box.source, b"2", key=b"k", partition=0)


@pytest.mark.parametrize("poison", POISON.values(), ids=POISON.keys())
async def test_a_consumer_dead_letters_the_original_and_goes_on(kafka_bootstrap: str, poison: Poison) -> None:
    box, seen = await sandbox(kafka_bootstrap, partitions=1), Seen()
    await write_poison(box, poison)
    broker = build_broker(box.settings, client_id="test")
    async with DeadLetters(box.settings, client_id="test") as dead_letters:
        _collecting(broker, box, seen, dead_letters)
        async with running(broker):
            await until(box.is_done)
    assert seen.values == [b"1", b"2"]
    await assert_dead_lettered(box, poison)


@pytest.mark.parametrize("poison", POISON.values(), ids=POISON.keys())
async def test_a_pipe_dead_letters_the_original_and_goes_on(kafka_bootstrap: str, poison: Poison) -> None:
    box = await sandbox(kafka_bootstrap, partitions=1)
    await write_poison(box, poison)

    def transform(records: Sequence[Record]) -> Sequence[Outgoing]:
        return [Outgoing(box.target, record.key or b"", record.value or b"") for record in records]

    broker = build_broker(box.settings, client_id="test")
    async with DeadLetters(box.settings, client_id="test") as dead_letters:
        pipe_batches(
            broker,
            topics=[box.source],
            group=box.group,
            decode=decode,
            transform=transform,
            dead_letters=dead_letters,
        )
        async with running(broker):
            await until(box.is_done)
    assert [record.value for record in await box.read(box.target)] == [b"1", b"2"]
    await assert_dead_lettered(box, poison)


def _collecting(broker: Broker, box: Sandbox, seen: Seen, dead_letters: DeadLetters) -> Subscription:
    return consume_batches(
        broker,
        topics=[box.source],
        group=box.group,
        decode=decode,
        handle=seen.handle,
        dead_letters=dead_letters,
    )


async def test_a_header_name_that_aiokafka_cannot_read_ends_the_subscription_with_advice(
    kafka_bootstrap: str,
) -> None:
    """The one poison that cannot be stepped over: nothing is committed past it, and a person is told."""
    box, seen = await sandbox(kafka_bootstrap, partitions=1), Seen()
    await box.write([(b"k", b"1")])
    await _write_header_name(box, b"\xff\xfe\xfd\xfc")
    broker = build_broker(box.settings, client_id="test")
    async with DeadLetters(box.settings, client_id="test") as dead_letters:
        subscription = _collecting(broker, box, seen, dead_letters)
        async with running(broker):
            advice = rf"offset 1 of {box.source}\[0\].*UnicodeDecodeError.*group {box.group} past its batch"
            with pytest.raises(Crash, match=advice):
                await asyncio.wait_for(subscription.wait_failed(), 20)
    assert await box.uncommitted() in {1, 2}
    with pytest.raises(Crash, match=rf"offset 1 of {box.source}\[0\].*Find out who wrote it$"):
        await box.read(box.source)


async def test_what_cannot_be_read_costs_no_other_partition_a_record(kafka_bootstrap: str) -> None:
    """By then aiokafka has drained some of them, stands behind that, and drops it."""
    box, seen = await sandbox(kafka_bootstrap, partitions=12), Seen()
    written = numbered(1_200)
    await box.write(written[:600])
    await _write_header_name(box, b"\xff\xfe\xfd\xfc", partition=5)
    async with DeadLetters(box.settings, client_id="test") as dead_letters:
        broker = build_broker(box.settings, client_id="test")
        subscription = _collecting(broker, box, seen, dead_letters)
        async with running(broker):
            for start in range(600, 1_200, 10):
                await box.write(written[start : start + 10])
            with pytest.raises(Crash):
                await asyncio.wait_for(subscription.wait_failed(), 20)
        await _skip(box, await _poison_at(box, 5))
        broker = build_broker(box.settings, client_id="test")
        _collecting(broker, box, seen, dead_letters)
        async with running(broker):
            await until(box.is_done)
    assert set(seen.values) == {value for _, value in written}


async def _poison_at(box: Sandbox, partition: int) -> tuple[TopicPartition, int]:
    """Where the record is that no client reads: after the last that can be read."""
    at = TopicPartition(box.source, partition)
    async with AIOKafkaConsumer(bootstrap_servers=list(box.settings.bootstrap_servers)) as reader:
        reader.assign([at])
        await reader.seek_to_beginning()
        with suppress(UnicodeDecodeError):
            while True:
                await reader.getone()
        return at, await reader.position(at)


async def _skip(box: Sandbox, poison: tuple[TopicPartition, int]) -> None:
    """What the advice says: `kafka-consumer-groups --reset-offsets --to-offset`."""
    servers = list(box.settings.bootstrap_servers)
    async with AIOKafkaConsumer(bootstrap_servers=servers, group_id=box.group, enable_auto_commit=False) as group:
        group.assign([poison[0]])
        await group.commit({poison[0]: poison[1] + 1})


@pytest.mark.parametrize("codec", ["gzip", "snappy", "lz4", "zstd"])
async def test_whatever_codec_a_producer_compresses_with_can_be_read(kafka_bootstrap: str, codec: str) -> None:
    box, seen = await sandbox(kafka_bootstrap, partitions=1), Seen()
    producer = AIOKafkaProducer(bootstrap_servers=list(box.settings.bootstrap_servers), compression_type=codec)
    async with producer:
        await producer.send_and_wait(box.source, b"1" * 1_000, key=b"k")
    async with DeadLetters(box.settings, client_id="test") as dead_letters:
        broker = build_broker(box.settings, client_id="test")
        _collecting(broker, box, seen, dead_letters)
        async with running(broker):
            await until(box.is_done)
    assert seen.values == [b"1" * 1_000]


async def _write_header_name(box: Sandbox, name: bytes, partition: int = 0) -> None:
    """No Python client writes such a header, but others can: patch the encoded batch and its checksum."""
    async with AIOKafkaProducer(bootstrap_servers=list(box.settings.bootstrap_servers)) as producer:
        batch = producer.create_batch()
        batch.append(key=b"k", value=b"1", timestamp=None, headers=[("Q" * len(name), b"v")])
        encoded = bytearray(batch._build().replace(b"Q" * len(name), name))
        struct.pack_into(">I", encoded, CHECKSUM_AT, calc_crc32c(bytes(encoded[CHECKSUM_AT + 4 :])))
        batch._buffer = bytes(encoded)
        await (await producer.send_batch(batch, box.source, partition=partition))


async def assert_dead_lettered(box: Sandbox, poison: Poison) -> None:
    key, value, headers = poison
    [letter] = await box.read(box.dead_letters)
    assert (letter.key, letter.value) == (key, value)
    assert list(letter.headers[: len(headers)]) == [(name, value or b"") for name, value in headers]
    assert dict(letter.headers)["__dlq.errors.offset"] == b"1"
