"""pipe_batches on the real broker: every input has its output, in order for its key, and then its commit."""

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from chassis.errors import Crash
from chassis.kafka import Broker, DeadLetters, Prepared, Subscription, build_broker, pipe_batches, running, telemetry
from chassis.messages import Outgoing, Record
from tests.integration.chassis.kafka_sandbox import Sandbox, as_is, numbered, sandbox, until

pytestmark = pytest.mark.integration


def pipe(box: Sandbox, dead_letters: DeadLetters, client_id: str = "test") -> tuple[Broker, Subscription]:
    """A pipe that copies the sandbox's input to its output."""

    def copy(records: Sequence[Record]) -> Sequence[Outgoing]:
        return [Outgoing(box.target, record.key or b"", record.value or b"") for record in records]

    broker = build_broker(box.settings, client_id=client_id)
    subscription = pipe_batches(
        broker,
        topics=[box.source],
        group=box.group,
        decode=as_is,
        transform=copy,
        dead_letters=dead_letters,
        output_topics=[box.target],
        batch_max_records=50,
    )
    return broker, subscription


def by_key(records: Sequence[Record]) -> dict[bytes | None, list[int]]:
    """The numbers of each key in the order of the topic."""
    found = defaultdict(list)
    for record in records:
        found[record.key].append(int(record.value or b""))
    return found


async def test_every_input_is_written_once_in_order_for_its_key_and_committed(kafka_bootstrap: str) -> None:
    box = await sandbox(kafka_bootstrap)
    await box.write(numbered(1_000))
    async with DeadLetters(box.settings, client_id="test") as dead_letters:
        broker, _ = pipe(box, dead_letters)
        async with running(broker):
            await until(box.is_done)
    outputs = await box.read(box.target)
    assert len(outputs) == 1_000
    assert all(numbers == sorted(numbers) for numbers in by_key(outputs).values())


async def test_a_clean_stop_in_the_middle_loses_and_repeats_nothing(kafka_bootstrap: str) -> None:
    box = await sandbox(kafka_bootstrap)
    await box.write(numbered(5_000))
    async with DeadLetters(box.settings, client_id="test") as dead_letters:
        broker, subscription = pipe(box, dead_letters)
        async with running(broker):
            await until(lambda: len(subscription.progress.next_offsets) > 0)
    assert 0 < await box.uncommitted() < 5_000
    async with DeadLetters(box.settings, client_id="test") as dead_letters:
        broker, _ = pipe(box, dead_letters)
        async with running(broker):
            await until(box.is_done)
    outputs = await box.read(box.target)
    assert sorted(int(record.value or b"") for record in outputs) == list(range(5_000))


async def test_a_crash_in_the_transform_ends_the_pipe_and_commits_nothing_of_its_batch(kafka_bootstrap: str) -> None:
    box = await sandbox(kafka_bootstrap, partitions=1)
    await box.write(numbered(10))

    def no_model(_: Sequence[Record]) -> Sequence[Outgoing]:
        raise Crash("no model is installed")

    async with DeadLetters(box.settings, client_id="test") as dead_letters:
        broker = build_broker(box.settings, client_id="test")
        subscription = pipe_batches(
            broker,
            topics=[box.source],
            group=box.group,
            decode=as_is,
            transform=no_model,
            dead_letters=dead_letters,
        )
        async with running(broker):
            with pytest.raises(Crash, match="no model"):
                await asyncio.wait_for(subscription.wait_failed(), 20)
    assert await box.uncommitted() == 10


async def test_nothing_is_committed_before_its_output_is_acknowledged(kafka_bootstrap: str) -> None:
    box = await sandbox(kafka_bootstrap, partitions=1, drain_timeout_seconds=1, request_timeout_ms=1_000)
    await box.write(numbered(200))

    def to_nowhere(records: Sequence[Record]) -> Sequence[Outgoing]:
        return [Outgoing("no-such-topic", b"k", record.value or b"") for record in records]

    async with DeadLetters(box.settings, client_id="test") as dead_letters:
        broker = build_broker(box.settings, client_id="test")
        subscription = pipe_batches(
            broker,
            topics=[box.source],
            group=box.group,
            decode=as_is,
            transform=to_nowhere,
            dead_letters=dead_letters,
            batch_max_records=20,
        )
        async with running(broker):
            await until(lambda: subscription.progress.waiting_for == "PublishFailed")
            assert subscription.progress.is_live()
    assert await box.uncommitted() == 200
    assert await box.read(box.dead_letters) == []


class Store:
    """Knows the length of every value; away for its first `absences` questions."""

    def __init__(self, absences: int = 0) -> None:
        self.absences = absences
        self.asked: list[int] = []

    async def prepare(self, records: Sequence[Record]) -> Callable[[Sequence[Record]], Sequence[Outgoing]]:
        if self.absences:
            self.absences -= 1
            raise ConnectionRefusedError("away")
        self.asked.append(len(records))
        known = {record.value: str(len(record.value or b"")).encode() for record in records}
        return lambda batch: [Outgoing("unknown", b"k", known[each.value]) for each in batch]


def prepared(box: Sandbox, dead_letters: DeadLetters, store: Store) -> tuple[Broker, Subscription]:
    """A pipe that asks the store about each batch before it writes to the sandbox's output."""

    async def prepare(records: Sequence[Record]) -> Callable[[Sequence[Record]], Sequence[Outgoing]]:
        transform = await store.prepare(records)
        return lambda batch: [replace(each, topic=box.target) for each in transform(batch)]

    broker = build_broker(box.settings, client_id="test")
    subscription = pipe_batches(
        broker,
        topics=[box.source],
        group=box.group,
        decode=as_is,
        transform=Prepared(prepare, transient=(OSError,)),
        dead_letters=dead_letters,
        output_topics=[box.target],
    )
    return broker, subscription


async def test_what_a_batch_needs_to_know_is_asked_once_for_all_of_it(kafka_bootstrap: str) -> None:
    box, store = await sandbox(kafka_bootstrap, partitions=1), Store()
    await box.write(numbered(1_000))
    async with DeadLetters(box.settings, client_id="test") as dead_letters:
        broker, _ = prepared(box, dead_letters, store)
        async with running(broker):
            await until(box.is_done)
    assert (sum(store.asked), len(await box.read(box.target))) == (1_000, 1_000)
    assert len(store.asked) < 20


async def test_a_store_that_is_away_is_waited_for_and_nothing_is_lost(kafka_bootstrap: str) -> None:
    box, store = await sandbox(kafka_bootstrap, partitions=1), Store(absences=4)
    await box.write(numbered(50))
    waited_for = set()
    async with DeadLetters(box.settings, client_id="test") as dead_letters:
        broker, subscription = prepared(box, dead_letters, store)
        async with running(broker):
            await until(lambda: subscription.progress.waiting_for is not None)
            waited_for.add(subscription.progress.waiting_for)
            assert (subscription.progress.is_live(), await box.uncommitted()) == (True, 50)
            await until(box.is_done)
            waited_for.add(subscription.progress.waiting_for)
    assert waited_for == {"ConnectionRefusedError", None}
    assert (len(await box.read(box.target)), await box.read(box.dead_letters)) == (50, [])


async def test_a_look_up_that_fails_for_good_ends_the_pipe_and_refuses_nothing(kafka_bootstrap: str) -> None:
    box = await sandbox(kafka_bootstrap, partitions=1)
    await box.write(numbered(10))

    async def prepare(_: Sequence[Record]) -> Callable[[Sequence[Record]], Sequence[Outgoing]]:
        raise LookupError("no such table")

    async with DeadLetters(box.settings, client_id="test") as dead_letters:
        broker = build_broker(box.settings, client_id="test")
        subscription = pipe_batches(
            broker,
            topics=[box.source],
            group=box.group,
            decode=as_is,
            transform=Prepared(prepare, transient=(OSError,)),
            dead_letters=dead_letters,
        )
        async with running(broker):
            with pytest.raises(LookupError):
                await asyncio.wait_for(subscription.wait_failed(), 20)
    assert (await box.uncommitted(), await box.read(box.dead_letters)) == (10, [])


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> Iterator[InMemorySpanExporter]:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(telemetry, "_tracer", provider.get_tracer("test"))
    yield exporter
    provider.shutdown()


async def test_outputs_are_children_of_one_span_per_batch_that_links_to_the_inputs(
    kafka_bootstrap: str, spans: InMemorySpanExporter
) -> None:
    box = await sandbox(kafka_bootstrap, partitions=1)
    source = Outgoing(box.source, b"k", b"1", (("traceparent", b"00-%032x-%016x-01" % (7, 9)),))
    await box.write_all([source])
    async with DeadLetters(box.settings, client_id="test") as dead_letters:
        broker, _ = pipe(box, dead_letters)
        async with running(broker):
            await until(box.is_done)
    [output] = await box.read(box.target)
    [span] = spans.get_finished_spans()
    assert span.name == f"process {box.source}"
    assert span.kind is trace.SpanKind.CONSUMER
    assert [link.context.trace_id for link in span.links] == [7]
    assert dict(output.headers)["traceparent"].split(b"-")[2] == b"%016x" % span.context.span_id
