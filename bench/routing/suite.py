"""Routing beside its rivals: the same posts through the same classifier with the same guarantee of delivery."""

import asyncio
import time
from collections.abc import Sequence
from typing import Final

from bench.classifier.stages import Stages
from bench.comparison import Comparison, Target, turns
from bench.measurement import Measurement
from bench.programs import running
from bench.result import Compared, Run
from bench.routing.outputs import check, places
from bench.routing.posts import posts
from bench.servers import fresh_stack
from chassis.kafka import KafkaSettings, Publisher, TopicSpec, dead_letter_topic, ensure_topics, read_range
from chassis.messages import Outgoing, Record
from contracts.provision import ensure_catalogue
from contracts.topics import CLASSIFIED, POSTS

POSTS_EACH: Final = 20_000
ONE_BY_ONE: Final = "faststream_handler"
POSTS_ONE_BY_ONE: Final = 1_000
"""What goes message by message is so much slower that it gets fewer."""
PUBLISHED_AT_ONCE: Final = 5_000
TITLES: Final = {
    "service": "the routing service",
    "bare_aiokafka": "(a) bare aiokafka loop",
    "bare_confluent": "(b) bare confluent-kafka loop",
    "faststream_handler": "(c) FastStream, a handler for each message",
}
TARGETS: Final = (Target("bare_aiokafka", 1.0), Target("faststream_handler", 15.0))


def run(run: Run) -> Compared:
    """Let every contestant route the same topic with the whole cascade, in turns."""
    return _run(run, Stages.CASCADE, "Routing with the cascade")


def run_linear(run: Run) -> Compared:
    """The same with the linear stage alone, where the way through Kafka weighs more."""
    return _run(run, Stages.LINEAR, "Routing with the linear stage alone")


def _run(run: Run, stages: Stages, title: str) -> Compared:
    with fresh_stack(run.folder, postgres=False) as stack:
        course = _Course(stack.bootstrap_servers, run, stages)
        found: dict[str, list[Measurement]] = {name: [] for name in TITLES}
        for name in turns(list(TITLES), run.rounds):
            run.tell(f"round {len(found[name]) + 1} of {run.rounds}: {TITLES[name]}")
            found[name].append(course.measure(name, len(found[name])))
    return Compared(title, "posts", Comparison("service", found), TITLES, TARGETS)


class _Course:
    """A Kafka whose topic of posts is full."""

    def __init__(self, bootstrap_servers: str, run: Run, stages: Stages) -> None:
        self._stages = stages
        self._settings = KafkaSettings(bootstrap_servers=tuple(bootstrap_servers.split(",")))
        self._run = run
        run.tell("writing the posts")
        inputs = list(posts(round(POSTS_EACH * run.scale)))
        self._count = len(inputs)
        self._place_of = places(inputs)
        asyncio.run(self._fill(inputs))

    def measure(self, name: str, number: int) -> Measurement:
        """Run one contestant from the beginning of the topic, and check what it wrote."""
        group = f"{name}-{number}"
        asyncio.run(self._provide_dead_letters(group))
        count = round(POSTS_ONE_BY_ONE * self._run.scale) if name == ONE_BY_ONE else self._count
        started_ms = time.time_ns() // 1_000_000
        arguments = [name, self._stages, ",".join(self._settings.bootstrap_servers), group, str(count)]
        with running("bench.routing", arguments, self._run.folder / f"{name}.log") as program:
            measured = Measurement.from_json(program.answer())
        check(asyncio.run(self._written_since(started_ms)), self._place_of, count)
        return measured

    async def _fill(self, inputs: Sequence[Outgoing]) -> None:
        await ensure_catalogue(",".join(self._settings.bootstrap_servers))
        async with Publisher(self._settings, client_id="bench") as publisher:
            for start in range(0, len(inputs), PUBLISHED_AT_ONCE):
                await publisher.publish_all(inputs[start : start + PUBLISHED_AT_ONCE])

    async def _provide_dead_letters(self, group: str) -> None:
        await ensure_topics(self._settings, [TopicSpec(dead_letter_topic(POSTS.name, group), partitions=1)])

    async def _written_since(self, started_ms: int) -> list[Record]:
        return [
            record
            for topic in CLASSIFIED
            async for record in read_range(self._settings, topic.name, start_ms=started_ms)
        ]
