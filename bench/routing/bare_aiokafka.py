"""Rival (a): a loop on bare aiokafka, batch by batch: getmany, gathered send futures, commit."""

import asyncio

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from bench.measurement import Measurement
from bench.routing.task import BATCH_RECORDS, Task, Work
from chassis.kafka.records import to_record
from contracts.topics import POSTS


async def route(task: Task, work: Work) -> Measurement:
    """Nothing but the client: no traces, no dead letters, no drain."""
    work.start()
    producer = AIOKafkaProducer(bootstrap_servers=task.bootstrap_servers, acks="all", enable_idempotence=True)
    consumer = AIOKafkaConsumer(
        POSTS.name,
        bootstrap_servers=task.bootstrap_servers,
        group_id=task.group,
        enable_auto_commit=False,
        auto_offset_reset="earliest",
    )
    async with producer, consumer:
        done = 0
        while done < task.records:
            found = await consumer.getmany(timeout_ms=1_000, max_records=BATCH_RECORDS)
            outgoing = work.route([to_record(raw) for raws in found.values() for raw in raws])
            sent = [
                await producer.send(each.topic, each.value, key=each.key, headers=each.headers) for each in outgoing
            ]
            await asyncio.gather(*sent)
            await consumer.commit()
            done += len(outgoing)
        return work.done(done)
