"""Topics of a test's own on the real broker, and the few things that every Kafka test does with them."""

import asyncio
import uuid
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from time import monotonic

from chassis.kafka import (
    KafkaSettings,
    Publisher,
    TopicSpec,
    committed_offsets,
    dead_letter_topic,
    end_offsets,
    ensure_topics,
    read_range,
)
from chassis.messages import Outgoing, Record

LARGE = {"max.message.bytes": str(20 * 1024 * 1024)}


@dataclass(frozen=True)
class Sandbox:
    """An input topic with its dead letters, and an output topic."""

    settings: KafkaSettings
    source: str
    target: str
    group: str

    @property
    def dead_letters(self) -> str:
        return dead_letter_topic(self.source, self.group)

    async def write(self, values: Iterable[tuple[bytes, bytes]]) -> None:
        """Write (key, value) pairs to the input topic."""
        await self.write_all([Outgoing(self.source, key, value) for key, value in values])

    async def write_all(self, messages: Sequence[Outgoing]) -> None:
        async with Publisher(self.settings, client_id="test") as publisher:
            await publisher.publish_all(messages)

    async def read(self, topic: str) -> list[Record]:
        return [record async for record in read_range(self.settings, topic)]

    async def uncommitted(self) -> int:
        """How many records of the input topic the group has not committed."""
        committed = await committed_offsets(self.settings, self.group)
        ends = await end_offsets(self.settings, [self.source])
        return sum(end - committed.get(at, 0) for at, end in ends.items())

    async def is_done(self) -> bool:
        return await self.uncommitted() == 0


async def sandbox(bootstrap: str, *, partitions: int = 3, **overrides: object) -> Sandbox:
    """Create the topics of one test."""
    name = f"test-{uuid.uuid4().hex[:12]}"
    settings = KafkaSettings.model_validate({"bootstrap_servers": bootstrap, **overrides})
    box = Sandbox(settings, f"{name}.in", f"{name}.out", f"{name}.group")
    specs = [TopicSpec(topic, partitions, config=LARGE) for topic in (box.source, box.target, box.dead_letters)]
    await ensure_topics(settings, specs)
    return box


@dataclass
class Seen:
    """A handler that remembers the values it was given, in order for each key."""

    values: list[bytes] = field(default_factory=list)
    by_key: dict[bytes, list[bytes]] = field(default_factory=lambda: defaultdict(list))

    async def handle(self, records: Sequence[Record]) -> None:
        for record in records:
            self.values.append(record.value or b"")
            self.by_key[record.key or b""].append(record.value or b"")


def as_is(record: Record) -> Record:
    """A decoder that takes anything."""
    return record


def numbered(count: int, keys: int = 7) -> list[tuple[bytes, bytes]]:
    """`count` pairs whose values are their number, spread over `keys` keys."""
    return [(b"key-%d" % (n % keys), b"%d" % n) for n in range(count)]


def first_times(values: Sequence[bytes]) -> list[int]:
    """The numbers in the order in which each was first seen."""
    return [int(value) for value in dict.fromkeys(values)]


async def until(
    condition: Callable[[], bool] | Callable[[], Awaitable[bool]], *, timeout_seconds: float = 30.0
) -> None:
    """Poll `condition` until it holds; fail the test at the deadline."""
    deadline = monotonic() + timeout_seconds
    while True:
        held = condition()
        if held if isinstance(held, bool) else await held:
            return
        assert monotonic() < deadline, "the condition did not hold in time"
        await asyncio.sleep(0.05)
