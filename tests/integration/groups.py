"""What a test does to a consumer group from outside."""

from collections.abc import Sequence

from aiokafka import AIOKafkaConsumer, TopicPartition

from chassis.kafka import KafkaSettings, committed_offsets, end_offsets


async def uncommitted_of(kafka: KafkaSettings, group: str, topics: Sequence[str]) -> int:
    """How many records of `topics` the group has not committed."""
    committed, ends = await committed_offsets(kafka, group), await end_offsets(kafka, topics)
    return sum(max(end - committed.get(at, 0), 0) for at, end in ends.items())


async def move(kafka: KafkaSettings, group: str, topics: Sequence[str], *, to_end: bool) -> None:
    """Commit the ends or the beginnings for a group without members.

    A beginning is where the first record left is: other tests' records were deleted, and a partition that has none
    since would never be committed by a consumer.
    """
    at = [TopicPartition(*each) for each in await end_offsets(kafka, topics)]
    async with AIOKafkaConsumer(**kafka.connection("test"), group_id=group, enable_auto_commit=False) as consumer:
        consumer.assign(at)
        await consumer.commit(await (consumer.end_offsets(at) if to_end else consumer.beginning_offsets(at)))
