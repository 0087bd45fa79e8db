"""The whole service on the real Kafka: nothing lost, nothing twice, poison aside, and a rebuild that agrees."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace
from time import monotonic
from uuid import uuid4

import grpc
import pytest

from chassis.clock import utc_now
from chassis.errors import Crash
from chassis.kafka import KafkaSettings, dead_letter_topic, read_range
from chassis.kafka.dead_letters import PREFIX
from chassis.messages import Outgoing, Record
from chassis.postgres import POSTGRES_UNAVAILABLE, Connection, Pool, PostgresSettings, connect
from chassis.rebuilding import read_batches
from contracts import identity
from contracts.codec import encode
from contracts.examples import examples
from contracts.topics import COMPLAINTS, FEEDBACK, POSTS, ROUTING, consumed_by
from services.feedback.presence import present
from services.feedback.rebuild import RebuildRefused, rebuild
from services.feedback.store.digest import digest
from services.feedback.store.volumes import complete_through, volumes_match
from tests.factories import make_event, make_post_received
from tests.integration.feedback.processes import TOPICS, process, publish
from tests.integration.feedback.records import classified, disputed, history
from tests.integration.feedback.serving import Reader
from tests.integration.groups import move, uncommitted_of

pytestmark = pytest.mark.integration


@pytest.fixture
async def kafka(topics: str) -> KafkaSettings:
    settings = KafkaSettings.model_validate({"bootstrap_servers": topics})
    await move(settings, FEEDBACK, TOPICS, to_end=True)
    return settings


@pytest.fixture
def tenant() -> str:
    """One of the test's own: the topics are shared."""
    return f"t{uuid4().hex[:8]}"


async def until(condition: Callable[[], Awaitable[bool]], *, timeout_seconds: float = 40.0) -> None:
    deadline = monotonic() + timeout_seconds
    while not await condition():
        assert monotonic() < deadline, "the condition did not hold in time"
        await asyncio.sleep(0.05)


async def settled(kafka: KafkaSettings) -> None:
    """Wait until everything on the topics was committed."""

    async def done() -> bool:
        return await uncommitted_of(kafka, FEEDBACK, TOPICS) == 0

    await until(done)


async def counted(pool: Pool, tenant: str) -> int:
    return int(await pool.fetchval("SELECT coalesce(sum(post_count), 0) FROM volume WHERE tenant = $1", tenant))


async def learnt(pool: Pool, tenant: str) -> int:
    return int(await pool.fetchval("SELECT count(*) FROM insight WHERE tenant = $1", tenant))


async def digest_of(pool: Pool) -> str:
    async with pool.acquire() as connection:
        return await digest(connection)


async def test_every_message_twice_has_one_effect(
    pool: Pool, postgres: PostgresSettings, kafka: KafkaSettings, tenant: str
) -> None:
    messages = disputed(tenant)
    async with process(postgres, kafka):
        await publish(kafka, [*messages, *messages])
        await settled(kafka)
    assert await counted(pool, tenant) == 7
    assert await pool.fetchval("SELECT count(*) FROM inbox") == len(messages)
    assert await volumes_match(pool)


async def test_a_group_reset_to_earliest_changes_nothing(
    pool: Pool, postgres: PostgresSettings, kafka: KafkaSettings, tenant: str
) -> None:
    await publish(kafka, history(tenant))
    await move(kafka, FEEDBACK, TOPICS, to_end=False)
    async with process(postgres, kafka):
        await settled(kafka)
    once = await digest_of(pool), await learnt(pool, tenant)
    await move(kafka, FEEDBACK, TOPICS, to_end=False)
    async with process(postgres, kafka):
        await settled(kafka)
    assert (await digest_of(pool), await learnt(pool, tenant)) == once


async def test_golden_examples_of_every_topic_go_through_the_consumer(
    pool: Pool, postgres: PostgresSettings, kafka: KafkaSettings
) -> None:
    records = [record for topic in consumed_by(FEEDBACK) for record, _ in examples(topic)]
    async with process(postgres, kafka):
        await publish(
            kafka, [Outgoing(each.topic, each.key or b"", each.value or b"", each.headers) for each in records]
        )
        await settled(kafka)
    ids = {dict(record.headers)["ce_id"].decode() for record in records}
    assert await pool.fetchval("SELECT count(*) FROM inbox WHERE event_id = ANY ($1::uuid[])", ids) == len(ids)


def poison(tenant: str) -> list[Outgoing]:
    """Records that cannot be used, each of its own kind, of one conversation and so of one partition."""
    good = classified(tenant=tenant, thread="t")
    return [
        replace(good, value=good.value[:-7]),
        replace(good, value=b"\xff" * 20),
        replace(good, headers=[("ce_id", b"\xff\xfe"), *good.headers[2:]]),
        replace(good, headers=[header for header in good.headers if header[0] != "ce_tenantid"]),
        of_unknown_state(tenant),
        classified(tenant=tenant, thread="t", network="a\x00b"),
    ]


def of_unknown_state(tenant: str) -> Outgoing:
    good = classified(tenant=tenant, thread="t")
    message = COMPLAINTS.message()
    message.ParseFromString(good.value)
    message.post.state = 77  # type: ignore[attr-defined]
    return replace(good, value=message.SerializeToString())


async def test_poison_is_set_aside_untouched_and_stops_nothing(
    pool: Pool, postgres: PostgresSettings, kafka: KafkaSettings, tenant: str
) -> None:
    bad = poison(tenant)
    good = [classified(tenant=tenant, thread="t", native_id=f"g{number}") for number in range(len(bad) + 1)]
    mixed = [message for pair in zip(good, bad, strict=False) for message in pair] + good[-1:]
    async with process(postgres, kafka):
        await publish(kafka, mixed)
        await settled(kafka)
    letters = [each async for each in read_range(kafka, dead_letter_topic(COMPLAINTS.name, FEEDBACK))]
    found = [(each.value, [header for header in each.headers if not header[0].startswith(PREFIX)]) for each in letters]
    assert await counted(pool, tenant) == len(good)
    assert [found.count((each.value, list(each.headers))) for each in bad] == [1] * len(bad)


async def test_lost_connections_lose_and_double_nothing(
    pool: Pool, postgres: PostgresSettings, kafka: KafkaSettings, tenant: str
) -> None:
    cut = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE application_name LIKE 'feedback%' AND datname = current_database()"""
    owner = postgres.model_copy(update={"role": ""})
    async with process(postgres, kafka) as running, running.reader(tenant) as reader:
        reading = asyncio.create_task(follow(reader, insights=300))
        for number in range(6):
            await publish(kafka, [classified(tenant=tenant, native_id=f"{number}-{n}") for n in range(50)])
            await run_as(owner, cut)
        await settled(kafka)
        await reading
    assert (await counted(pool, tenant), len(set(reader.event_ids)), len(reader.event_ids)) == (300, 300, 300)


async def follow(reader: Reader, *, insights: int) -> None:
    """Come back whenever the stream breaks, until so many insights were read."""
    while len(reader.insights) < insights:
        try:
            await reader.read(lambda _: len(reader.insights) >= insights, timeout_seconds=40)
        except grpc.aio.AioRpcError as error:
            assert error.code() is grpc.StatusCode.UNAVAILABLE, error  # noqa: PT017 - any other must not happen


async def run_as(settings: PostgresSettings, statement: str) -> None:
    session = await connect(settings, schema="feedback", application_name="test")
    await session.execute(statement)
    await session.close()


async def test_a_rebuild_ends_in_the_same_digest_and_the_next_epoch(
    pool: Pool, postgres: PostgresSettings, kafka: KafkaSettings, tenant: str
) -> None:
    await publish(kafka, disputed(tenant))
    await move(kafka, FEEDBACK, TOPICS, to_end=False)
    async with process(postgres, kafka):
        await settled(kafka)
    before = await digest_of(pool)
    rebuilt = await rebuild(postgres, kafka)
    assert (rebuilt.digest_before, rebuilt.digest, await digest_of(pool)) == (before, before, before)
    assert (rebuilt.epoch > 1, await counted(pool, tenant), await volumes_match(pool)) == (True, 7, True)


async def test_a_rebuild_restores_what_was_damaged(
    pool: Pool, postgres: PostgresSettings, kafka: KafkaSettings, tenant: str
) -> None:
    await publish(kafka, history(tenant))
    whole = (await rebuild(postgres, kafka)).digest
    await pool.execute("DELETE FROM post WHERE tenant = $1", tenant)
    rebuilt = await rebuild(postgres, kafka)
    assert rebuilt.digest_before != rebuilt.digest == whole


async def test_an_interrupted_rebuild_leaves_everything_as_it_was(
    pool: Pool, postgres: PostgresSettings, kafka: KafkaSettings, tenant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await publish(kafka, history(tenant))
    whole = (await rebuild(postgres, kafka)).digest

    async def die(*_: object) -> None:
        raise Crash("killed")

    monkeypatch.setattr("services.feedback.rebuild.project", die)
    with pytest.raises(Crash, match="killed"):
        await rebuild(postgres, kafka)
    assert await digest_of(pool) == whole


async def test_a_rebuild_outlasts_a_kafka_that_stalls(
    pool: Pool, postgres: PostgresSettings, kafka: KafkaSettings, tenant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await publish(kafka, history(tenant))
    whole = (await rebuild(postgres, kafka)).digest

    async def stalling(kafka: KafkaSettings, topic: str) -> AsyncIterator[list[Record]]:
        await asyncio.sleep(0.5)
        async for records in read_batches(kafka, topic):
            yield records

    monkeypatch.setattr("chassis.postgres.pool._IDLE_IN_TRANSACTION", "100ms")
    monkeypatch.setattr("services.feedback.rebuild.read_batches", stalling)
    assert (await rebuild(postgres, kafka)).digest == await digest_of(pool) == whole


async def test_a_rebuild_whose_session_is_lost_says_that_postgresql_was_away(
    postgres: PostgresSettings, kafka: KafkaSettings, tenant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await publish(kafka, history(tenant))

    async def lose_session(connection: Connection, _: object) -> None:
        await connection.execute("SET ROLE NONE; SELECT pg_terminate_backend(pg_backend_pid())")

    monkeypatch.setattr("services.feedback.rebuild.project", lose_session)
    with pytest.raises(POSTGRES_UNAVAILABLE, match="lost in the middle"):
        await rebuild(postgres, kafka)


async def test_no_rebuild_beside_a_service_and_no_service_beside_a_rebuild(
    postgres: PostgresSettings, kafka: KafkaSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with present(postgres, schema=FEEDBACK):
        with pytest.raises(RebuildRefused, match="stop it, rebuild, and start it again"):
            await rebuild(postgres, kafka)

    async def start_service(*_: object) -> tuple[int, int]:
        with pytest.raises(Crash, match="being rebuilt"):
            async with present(postgres, schema=FEEDBACK):
                pass
        return 0, 0

    monkeypatch.setattr("services.feedback.rebuild._fold_all", start_service)
    assert (await rebuild(postgres, kafka)).events == 0


async def test_a_reader_hears_at_once(postgres: PostgresSettings, kafka: KafkaSettings, tenant: str) -> None:
    async with process(postgres, kafka) as running, running.reader(tenant) as reader:
        reading = asyncio.create_task(reader.read(lambda _: bool(reader.insights)))
        # A first record of somebody else shows that the group has its partitions.
        await publish(kafka, [classified(tenant=f"{tenant}x")])
        await settled(kafka)
        started = monotonic()
        await publish(kafka, [classified(tenant=tenant, text="now")])
        await reading
    assert reader.texts == ["now"]
    assert monotonic() - started < 10


async def test_completeness_waits_for_what_routing_has_not_passed_on(
    pool: Pool, postgres: PostgresSettings, kafka: KafkaSettings, tenant: str
) -> None:
    await move(kafka, ROUTING, [POSTS.name], to_end=True)
    async with process(postgres, kafka):
        first = utc_now()

        async def whole_since_first() -> bool:
            return (await complete_through(pool) or first) > first

        await until(whole_since_first)
        received = make_post_received(tenant=tenant)
        await publish(kafka, [encode(POSTS, identity.last_segment(received.post.conversation), make_event(received))])
        heard_at = utc_now()
        await asyncio.sleep(1.5)  # several looks: time itself is what must not be taken for progress
        stopped_at = await complete_through(pool)
        await move(kafka, ROUTING, [POSTS.name], to_end=True)

        async def whole_again() -> bool:
            return (await complete_through(pool) or first) > heard_at

        assert stopped_at is not None
        assert stopped_at < heard_at
        await until(whole_again)
