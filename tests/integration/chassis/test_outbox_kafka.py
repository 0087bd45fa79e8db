"""From a commit in the real PostgreSQL to records in the real Kafka, also when Kafka goes away meanwhile."""

import asyncio
import uuid

import pytest

from chassis.kafka import KafkaSettings, Publisher, TopicSpec, ensure_topics, read_range
from chassis.messages import Outgoing
from chassis.postgres import Pool
from local.stack import Stack
from tests.integration.chassis.outboxes import NewRelay, is_empty, running, until, write

pytestmark = pytest.mark.integration


@pytest.fixture
def kafka(kafka_bootstrap: str) -> KafkaSettings:
    return KafkaSettings.model_validate({"bootstrap_servers": kafka_bootstrap})


@pytest.fixture
async def topic(kafka: KafkaSettings) -> str:
    name = f"test-{uuid.uuid4().hex[:12]}"
    await ensure_topics(kafka, [TopicSpec(name, partitions=3)])
    return name


def _numbered(topic: str, key: str, numbers: range) -> list[Outgoing]:
    header = (("ce_id", "\x00é".encode()),)
    return [Outgoing(topic, key.encode(), str(number).encode(), header) for number in numbers]


async def _values_by_key(kafka: KafkaSettings, topic: str) -> dict[bytes, list[bytes]]:
    """The values of each key in the order of their first appearance."""
    found: dict[bytes, dict[bytes, None]] = {}
    async for record in read_range(kafka, topic):
        found.setdefault(record.key or b"", {}).setdefault(record.value or b"")
    return {key: list(values) for key, values in found.items()}


async def test_rows_become_records_in_order_with_their_headers(
    pool: Pool, new_relay: NewRelay, kafka: KafkaSettings, topic: str
) -> None:
    for start in range(0, 60, 20):
        numbers = range(start, start + 20)
        await write(pool, [m for key in ("a", "b", "c") for m in _numbered(topic, key, numbers)])

    async with Publisher(kafka, client_id="test") as publisher, running(new_relay(publisher)):
        await until(lambda: is_empty(pool))
    records = [record async for record in read_range(kafka, topic)]
    in_order = [str(number).encode() for number in range(60)]
    assert await _values_by_key(kafka, topic) == {b"a": in_order, b"b": in_order, b"c": in_order}
    assert all(("ce_id", "\x00é".encode()) in list(record.headers) for record in records)
    assert len(records) == 180


@pytest.mark.slow
async def test_what_commits_while_kafka_is_away_arrives_when_it_is_back(
    stack: Stack, pool: Pool, new_relay: NewRelay, kafka: KafkaSettings, topic: str
) -> None:
    async with Publisher(kafka, client_id="test") as publisher, running(new_relay(publisher)):
        await write(pool, _numbered(topic, "key", range(10)))
        await until(lambda: is_empty(pool))
        await asyncio.to_thread(stack.kafka.kill)
        try:
            for number in range(10, 30):
                await write(pool, _numbered(topic, "key", range(number, number + 1)))
            assert await pool.fetchval("SELECT count(*) FROM outbox") == 20
        finally:
            await asyncio.to_thread(stack.kafka.start)
        await until(lambda: is_empty(pool), seconds=60)
    assert await _values_by_key(kafka, topic) == {b"key": [str(number).encode() for number in range(30)]}
