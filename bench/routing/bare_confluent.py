"""Rival (b): a loop on bare confluent-kafka (librdkafka, in C): consume a batch, produce, flush, commit."""

from collections.abc import Sequence
from typing import cast

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, Producer

from bench.measurement import Measurement
from bench.routing.task import BATCH_RECORDS, Task, Work
from chassis.messages import Headers, Outgoing, Record
from contracts.topics import POSTS


async def route(task: Task, work: Work) -> Measurement:
    """Synchronous: nothing else runs on this process's loop."""
    work.start()
    servers = {"bootstrap.servers": task.bootstrap_servers}
    producer = Producer(servers | {"acks": "all", "enable.idempotence": True, "partitioner": "murmur2"})
    consumer = Consumer(
        servers | {"group.id": task.group, "enable.auto.commit": False, "auto.offset.reset": "earliest"}
    )
    consumer.subscribe([POSTS.name])
    done = 0
    while done < task.records:
        messages = consumer.consume(BATCH_RECORDS, timeout=1.0)
        if not messages:
            continue
        outgoing = work.route([_record(message) for message in messages])
        _produce(producer, outgoing)
        consumer.commit(asynchronous=False)
        done += len(outgoing)
    found = work.done(done)
    consumer.close()
    return found


def _produce(producer: Producer, outgoing: Sequence[Outgoing]) -> None:
    for each in outgoing:
        producer.produce(each.topic, each.value, each.key, headers=list(each.headers), on_delivery=_delivered)
        producer.poll(0)
    producer.flush()


def _delivered(error: KafkaError | None, _: Message) -> None:
    if error is not None:
        raise KafkaException(error)


def _record(message: Message) -> Record:
    assert message.error() is None, message.error()
    _, timestamp_ms = message.timestamp()
    return Record(
        str(message.topic()),
        int(message.partition() or 0),
        int(message.offset() or 0),
        timestamp_ms,
        message.key(),
        message.value(),
        cast("Headers", message.headers() or ()),
    )
