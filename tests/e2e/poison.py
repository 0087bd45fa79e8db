"""Records that no consumer can use, for every topic, and where they must be found afterwards."""

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import uuid4

from aiokafka import AIOKafkaProducer

from ascolto.classification.v1.classification_pb2 import CategoryCorrected, PostClassified
from ascolto.coverage.v1.coverage_pb2 import CoverageChanged
from ascolto.posts.v1.post_pb2 import PostReceived
from ascolto.replies.v1.reply_event_pb2 import ReplyEvent
from chassis.kafka import KafkaSettings, dead_letter_topic, read_range
from chassis.messages import Headers, Record
from contracts.examples import examples
from contracts.topics import TOPICS, Topic

TEN_MIB: Final = 10 * 1024 * 1024
UNKNOWN: Final = 4_000
WAIT_SECONDS: Final = 60.0
POLL_SECONDS: Final = 0.5
REASONS: Final = frozenset(
    f"__dlq.errors.{name}" for name in ("topic", "partition", "offset", "group", "class", "code", "message")
)


@dataclass(frozen=True, slots=True)
class Poison:
    """One record, as it is written and as it must come out of the dead letters."""

    topic: Topic
    kind: str
    key: bytes
    value: bytes | None
    headers: Headers


def poison_for(topic: Topic) -> list[Poison]:
    """Each kind of poison, made from a good record of the topic."""
    record, _ = next(examples(topic))
    value, headers = record.value or b"", record.headers
    return [
        Poison(topic, "truncated protobuf", b"truncated", value[:-1], _with(headers)),
        Poison(topic, "header that is not UTF-8", b"header", value, _with(headers, ce_subject=b"\xff\xfe")),
        Poison(topic, "null value", b"null", None, _with(headers)),
        Poison(topic, "10 MiB", b"large", b"\x00" * TEN_MIB, _with(headers)),
        Poison(topic, "unknown enum", b"enum", unknown_enum(topic, value), _with(headers)),
    ]


def _with(headers: Headers, **replaced: bytes) -> Headers:
    """The headers under an event id of their own, some of them replaced."""
    replaced["ce_id"] = str(uuid4()).encode()
    return [(name, replaced.get(name, content)) for name, content in headers]


def unknown_enum(topic: Topic, value: bytes) -> bytes:
    """The message with an enum value, or a kind of fact, of a version to come."""
    message = topic.message.FromString(value)
    match message:
        case PostReceived():
            message.change = UNKNOWN  # type: ignore[assignment] # that is the point
        case PostClassified():
            message.classification.category = UNKNOWN  # type: ignore[assignment] # that is the point
        case CategoryCorrected():
            message.was = UNKNOWN  # type: ignore[assignment] # that is the point
        case ReplyEvent():
            message.target.kind = UNKNOWN  # type: ignore[assignment] # that is the point
        case CoverageChanged():
            message.state = UNKNOWN  # type: ignore[assignment] # that is the point
        case _:
            raise AssertionError(f"say which enum of {topic.message_type} may hold an unknown value")
    return message.SerializeToString()


async def write(kafka: KafkaSettings, poisons: Sequence[Poison]) -> None:
    """Write the poison where good records flow."""
    async with AIOKafkaProducer(
        bootstrap_servers=list(kafka.bootstrap_servers), max_request_size=2 * TEN_MIB
    ) as producer:
        for poison in poisons:
            headers = list(poison.headers)
            await producer.send_and_wait(poison.topic.name, poison.value, key=poison.key, headers=headers)


async def missing_dead_letters(kafka: KafkaSettings, poisons: Sequence[Poison]) -> list[str]:
    """Wait until each poison lies in the dead letters of each of its consumers; name those that do not."""
    give_up_at = time.monotonic() + WAIT_SECONDS
    while True:
        missing = [name for topic in TOPICS for name in await _missing(kafka, topic, poisons)]
        if not missing or time.monotonic() > give_up_at:
            return missing
        await asyncio.sleep(POLL_SECONDS)


async def _missing(kafka: KafkaSettings, topic: Topic, poisons: Sequence[Poison]) -> list[str]:
    missing = []
    for group in topic.consumers:
        letters = [letter async for letter in read_range(kafka, dead_letter_topic(topic.name, group))]
        missing += [
            f"{poison.kind} of {topic.name} for {group}"
            for poison in poisons
            if poison.topic is topic and not any(_is(letter, poison, group) for letter in letters)
        ]
    return missing


def _is(letter: Record, poison: Poison, group: str) -> bool:
    """Whether the dead letter is the untouched original, and says where it failed and why."""
    original = list(letter.headers[: len(poison.headers)])
    reasons = dict(letter.headers[len(poison.headers) :])
    return (
        (letter.key, letter.value, original) == (poison.key, poison.value, list(poison.headers))
        and reasons.keys() >= REASONS
        and reasons["__dlq.errors.topic"] == poison.topic.name.encode()
        and reasons["__dlq.errors.group"] == group.encode()
    )
