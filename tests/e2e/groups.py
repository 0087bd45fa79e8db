"""Consumer groups as an operator moves them: back to the beginning, while nobody of the group is there."""

import asyncio
import time
from collections.abc import Sequence
from typing import Final

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from contracts.topics import consumed_by
from local.stack import Stack

EMPTY_SECONDS: Final = 30.0
POLL_SECONDS: Final = 0.5


def reset_to_earliest(stack: Stack, groups: Sequence[str]) -> None:
    """Make each group read everything again; its members must have been stopped."""
    asyncio.run(_reset_all(stack.bootstrap_servers, groups))


async def _reset_all(bootstrap_servers: str, groups: Sequence[str]) -> None:
    for group in groups:
        await _reset(bootstrap_servers, group)


async def _reset(bootstrap_servers: str, group: str) -> None:
    partitions = [
        TopicPartition(topic.name, number) for topic in consumed_by(group) for number in range(topic.partitions)
    ]
    async with AIOKafkaConsumer(
        bootstrap_servers=bootstrap_servers, group_id=group, enable_auto_commit=False
    ) as consumer:
        consumer.assign(partitions)
        await _commit(consumer, await consumer.beginning_offsets(partitions))


async def _commit(consumer: AIOKafkaConsumer, offsets: dict[TopicPartition, int]) -> None:
    """Commit as soon as the group is empty: a member that was killed counts until its session ends."""
    give_up_at = time.monotonic() + EMPTY_SECONDS
    while True:
        try:
            await consumer.commit(offsets)
        except KafkaError:
            if time.monotonic() > give_up_at:
                raise
            await asyncio.sleep(POLL_SECONDS)
        else:
            return
