"""Rival (c): FastStream as its tutorial shows it: a handler for each message that publishes what it makes of it."""

import asyncio
from typing import Any

from faststream import AckPolicy
from faststream.kafka import KafkaBroker
from faststream.kafka.message import KafkaMessage

from bench.measurement import Measurement
from bench.routing.task import Task, Work
from chassis.kafka.records import to_record
from contracts.topics import POSTS

STOP_SECONDS = 0.5


async def route(task: Task, work: Work) -> Measurement:
    """NACK_ON_ERROR: the framework commits after each message whose handler returned."""
    work.start()
    broker = KafkaBroker(
        task.bootstrap_servers, acks="all", enable_idempotence=True, logger=None, graceful_timeout=STOP_SECONDS
    )
    committed = asyncio.Event()
    handled = 0

    @broker.subscriber(
        POSTS.name,
        group_id=task.group,
        auto_offset_reset="earliest",
        ack_policy=AckPolicy.NACK_ON_ERROR,
        decoder=_raw,
    )
    async def handle(raw: Any) -> None:  # noqa: ANN401 - aiokafka has no types
        nonlocal handled
        if handled == task.records:
            committed.set()  # the message before this one
            await asyncio.Event().wait()
        [outgoing] = work.route([to_record(raw)])
        headers = {name: value.decode() for name, value in outgoing.headers}
        await broker.publish(outgoing.value, outgoing.topic, key=outgoing.key, headers=headers)
        handled += 1

    async with broker:
        await broker.start()
        await committed.wait()
        return work.done(task.records)


async def _raw(message: KafkaMessage) -> Any:  # noqa: ANN401 - aiokafka has no types
    return message.raw_message
