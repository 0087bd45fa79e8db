"""Administration and reading from the side, on the real broker."""

import asyncio
import time
import uuid

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from chassis.kafka import (
    KafkaSettings,
    KafkaUnreachable,
    TopicsDiffer,
    TopicsMissing,
    TopicSpec,
    end_offsets,
    ensure_topics,
    read_range,
)
from chassis.kafka.admin import require_topics
from tests.integration.chassis.kafka_sandbox import numbered, sandbox

pytestmark = pytest.mark.integration


@pytest.fixture
def settings(kafka_bootstrap: str) -> KafkaSettings:
    return KafkaSettings.model_validate({"bootstrap_servers": kafka_bootstrap})


@pytest.fixture
def name() -> str:
    return f"test-{uuid.uuid4().hex[:12]}"


async def test_topics_are_created_once_even_by_several_at_the_same_time(settings: KafkaSettings, name: str) -> None:
    specs = [TopicSpec(f"{name}.{n}", 3, config={"retention.ms": "60000"}) for n in range(3)]
    await asyncio.gather(*(ensure_topics(settings, specs) for _ in range(3)))
    ends = await end_offsets(settings, [spec.name for spec in specs])
    assert len(ends) == 9


async def test_what_differs_from_the_specification_is_named_and_left_alone(settings: KafkaSettings, name: str) -> None:
    await ensure_topics(settings, [TopicSpec(name, 3, config={"retention.ms": "60000"})])
    with pytest.raises(TopicsDiffer, match=r"has 3 partitions, not 6; .* has retention.ms=60000, not 1"):
        await ensure_topics(settings, [TopicSpec(name, 6, config={"retention.ms": "1"})])


async def test_a_specification_that_kafka_refuses_is_explained(settings: KafkaSettings, name: str) -> None:
    with pytest.raises(TopicsDiffer, match=f"topic {name} cannot be created: .*eplication"):
        await ensure_topics(settings, [TopicSpec(name, 1, replication_factor=3)])


async def test_a_range_ends_where_the_topic_ended_and_covers_all_partitions(kafka_bootstrap: str) -> None:
    box = await sandbox(kafka_bootstrap)
    await box.write(numbered(3_000))
    reading = read_range(box.settings, box.source)
    values = [(await anext(reading)).value]
    await box.write([(b"late", b"late")])
    values += [record.value async for record in reading]
    assert sorted(int(value or b"") for value in values) == list(range(3_000))


async def test_a_range_starts_at_a_time_and_stops_at_a_limit(kafka_bootstrap: str) -> None:
    box = await sandbox(kafka_bootstrap)
    await box.write(numbered(50))
    await asyncio.sleep(0.02)
    start_ms = int(time.time() * 1_000)
    await box.write([(b"k", b"new")])
    late = [record.value async for record in read_range(box.settings, box.source, start_ms=start_ms)]
    few = [record async for record in read_range(box.settings, box.source, limit=7)]
    assert late == [b"new"]
    assert len(few) == 7


async def test_an_empty_topic_and_a_future_time_give_nothing(kafka_bootstrap: str) -> None:
    box = await sandbox(kafka_bootstrap)
    await box.write(numbered(5))
    future_ms = int(time.time() * 1_000) + 3_600_000
    assert [record async for record in read_range(box.settings, box.target)] == []
    assert [record async for record in read_range(box.settings, box.source, start_ms=future_ms)] == []


async def test_reading_a_topic_that_does_not_exist_names_it(settings: KafkaSettings, name: str) -> None:
    with pytest.raises(TopicsMissing, match=name):
        await end_offsets(settings, [name])


@pytest.fixture
def listed(name: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """A topic as in a cluster in which one broker lists it already and another, asked next, does not know it yet."""

    async def list_topics(_: object) -> list[str]:
        return [name]

    monkeypatch.setattr("chassis.kafka.admin.AIOKafkaAdminClient.list_topics", list_topics)
    return name


async def test_a_topic_that_a_broker_does_not_know_is_not_one_without_partitions(
    settings: KafkaSettings, listed: str
) -> None:
    hasty = settings.model_copy(update={"connect_timeout_seconds": 0.5})
    with pytest.raises(KafkaUnreachable, match=f"partitions of {listed}"):
        await require_topics(hasty, [listed])
    with pytest.raises(KafkaUnreachable, match=f"partitions of {listed}"):
        _ = [record async for record in read_range(hasty, listed)]


async def test_a_topic_that_a_broker_does_not_know_yet_is_awaited(settings: KafkaSettings, listed: str) -> None:
    asking = asyncio.create_task(require_topics(settings, [listed]))
    await asyncio.sleep(0.5)
    admin = AIOKafkaAdminClient(**settings.connection("test"))
    await admin.start()
    try:
        await admin.create_topics([NewTopic(listed, 3, 1)])
    finally:
        await admin.close()
    assert await asking == {listed: 3}
    await ensure_topics(settings, [TopicSpec(listed, 3)])


async def test_an_unreachable_kafka_is_named_with_its_variable() -> None:
    settings = KafkaSettings.model_validate({"bootstrap_servers": "127.0.0.1:1", "connect_timeout_seconds": 0.3})
    with pytest.raises(KafkaUnreachable, match=r"127\.0\.0\.1:1.*KAFKA_BOOTSTRAP_SERVERS"):
        await end_offsets(settings, ["t"])
