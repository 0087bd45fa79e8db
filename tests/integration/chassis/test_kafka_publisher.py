"""Publisher on the real broker: acknowledged, in order, partitioned like everyone else, and rebuilt when dead."""

import asyncio

import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.errors import OutOfOrderSequenceNumber

from chassis.errors import NeverRetry
from chassis.kafka import KafkaSettings, Publisher, PublishFailed
from chassis.messages import Outgoing
from tests.integration.chassis.kafka_sandbox import Sandbox, numbered, sandbox

pytestmark = pytest.mark.integration


def messages(box: Sandbox, count: int) -> list[Outgoing]:
    return [Outgoing(box.source, key, value) for key, value in numbered(count)]


async def test_a_key_goes_to_the_partition_that_other_clients_choose(kafka_bootstrap: str) -> None:
    box = await sandbox(kafka_bootstrap, partitions=8)
    keys = [b"conversation-%d" % n for n in range(40)]
    async with AIOKafkaProducer(bootstrap_servers=kafka_bootstrap) as producer:
        for key in keys:
            await producer.send_and_wait(box.target, b"v", key=key)
    await box.write((key, b"v") for key in keys)
    ours = {record.key: record.partition for record in await box.read(box.source)}
    theirs = {record.key: record.partition for record in await box.read(box.target)}
    assert ours == theirs
    assert len(set(ours.values())) > 1


async def test_many_batches_of_one_partition_keep_their_order(kafka_bootstrap: str) -> None:
    box = await sandbox(kafka_bootstrap, partitions=1, max_batch_bytes=1_024)
    await box.write(numbered(2_000))
    assert [int(record.value or b"") for record in await box.read(box.source)] == list(range(2_000))


async def test_writers_at_the_same_time_all_get_their_acknowledgements(kafka_bootstrap: str) -> None:
    box = await sandbox(kafka_bootstrap)
    async with Publisher(box.settings, client_id="test") as publisher:
        await asyncio.gather(*(publisher.publish_all(messages(box, 20)) for _ in range(20)))
    assert len(await box.read(box.source)) == 400


async def test_headers_arrive_as_they_were_given(kafka_bootstrap: str) -> None:
    box = await sandbox(kafka_bootstrap)
    headers = (("ce_id", b"7"), ("odd", b"\xff"), ("ce_id", b"8"))
    await box.write_all([Outgoing(box.source, b"k", b"v", headers)])
    [record] = await box.read(box.source)
    assert tuple(record.headers) == headers


async def test_a_record_that_is_too_large_is_refused_and_nothing_is_written(kafka_bootstrap: str) -> None:
    box = await sandbox(kafka_bootstrap, max_record_bytes=10_000)
    with pytest.raises(NeverRetry, match="KAFKA_MAX_RECORD_BYTES allows 10000"):
        await box.write([(b"k", b"small"), (b"k", b"x" * 10_000)])
    assert await box.read(box.source) == []


async def test_a_producer_that_died_is_rebuilt(kafka_bootstrap: str) -> None:
    box = await sandbox(kafka_bootstrap)
    async with Publisher(box.settings, client_id="test") as publisher:
        await publisher.publish_all(messages(box, 1))
        dead = publisher._producer
        assert dead is not None
        dead._client._message_accumulator.fail_all(OutOfOrderSequenceNumber())
        with pytest.raises(PublishFailed, match="OutOfOrderSequenceNumber"):
            await publisher.publish_all(messages(box, 1))
        await publisher.publish_all(messages(box, 1))
    assert len(await box.read(box.source)) == 2


async def test_a_topic_that_does_not_exist_is_named(kafka_bootstrap: str) -> None:
    settings = KafkaSettings.model_validate({"bootstrap_servers": kafka_bootstrap, "request_timeout_ms": 1_000})
    async with Publisher(settings, client_id="test") as publisher:
        with pytest.raises(PublishFailed, match="does not exist: no-such-topic; create it"):
            await publisher.publish_all([Outgoing("no-such-topic", b"k", b"v")])


async def test_without_a_broker_a_write_fails_at_once_and_names_the_address() -> None:
    settings = KafkaSettings.model_validate({"bootstrap_servers": "127.0.0.1:1"})
    async with Publisher(settings, client_id="test") as publisher:
        with pytest.raises(PublishFailed, match=r"no Kafka broker answers at 127\.0\.0\.1:1"):
            await asyncio.wait_for(publisher.publish_all([Outgoing("t", b"k", b"v")]), 10)
