"""The service's own way: two batches in flight, record batches handed to the producer, explicit commits, traces."""

import asyncio

from bench.measurement import Measurement
from bench.process import traced
from bench.routing.task import BATCH_RECORDS, Task, Work
from chassis.kafka import DeadLetters, KafkaSettings, Subscription, build_broker, pipe_batches, running
from contracts.codec import decode
from contracts.topics import CLASSIFIED, POSTS

POLL_SECONDS = 0.005


async def route(task: Task, work: Work) -> Measurement:
    """Compose as services/routing/service.py does."""
    settings = KafkaSettings(bootstrap_servers=tuple(task.bootstrap_servers.split(",")))
    async with traced(), DeadLetters(settings, client_id="bench") as dead_letters:
        broker = build_broker(settings, client_id="bench")
        subscription = pipe_batches(
            broker,
            topics=[POSTS.name],
            group=task.group,
            decode=decode,
            transform=work.classify,
            dead_letters=dead_letters,
            output_topics=[topic.name for topic in CLASSIFIED],
            batch_max_records=BATCH_RECORDS,
        )
        work.start()
        async with running(broker):
            await _committed(subscription, task.records)
            return work.done(task.records)


async def _committed(subscription: Subscription, records: int) -> None:
    failed = asyncio.create_task(subscription.wait_failed())
    while sum(subscription.progress.next_offsets.values()) < records:
        if failed.done():
            await failed
        await asyncio.sleep(POLL_SECONDS)
    failed.cancel()
