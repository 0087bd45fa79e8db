"""The read models come out the same when they are dropped and folded again from the topics."""

import asyncio
import random
from collections.abc import Mapping, Sequence

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from chassis.clock import utc_now
from chassis.errors import Crash
from chassis.kafka import KafkaSettings, committed_offsets, end_offsets
from chassis.messages import Outgoing
from chassis.postgres import Pool, PostgresSettings, transaction
from services.responder.approval import Approve, Command, Edit, Reject
from services.responder.digest import digest
from services.responder.handlers import GROUP, TOPICS
from services.responder.rebuild import rebuild
from tests.integration.responder.desk import Desk, Said
from tests.integration.responder.serving import publish, serving, until, until_quiet
from tests.integration.responder.test_handlers import corrections, history

pytestmark = pytest.mark.integration
DECISIONS: list[Command] = [Edit("ed", "Better.", 280), Approve("ann"), Reject("bo", "no")]


async def live(postgres: PostgresSettings, topics: str, pool: Pool) -> None:
    """A responder takes in a history while people decide."""
    said = history(80, seed=1)
    for message in said:
        message.post.integration = "acme-chat"
    async with serving(postgres, topics) as served:
        await served.say(*said, *corrections(said, seed=1))
        await until_quiet(pool, len({message.post_event_id for message in said}))
        desk = Desk(pool, now=utc_now())
        rows = await pool.fetch("SELECT reply_id FROM reply WHERE state = 'PENDING' ORDER BY reply_id LIMIT 6")
        for at, row in enumerate(rows):
            await desk.decide(row["reply_id"], DECISIONS[at % 3])
        disputed = corrections(said, seed=2)
        await served.say(*disputed)
        await until(lambda: has_taken_in(pool, disputed))

        async def settled() -> bool:
            return not await pool.fetchval("SELECT count(*) FROM reply WHERE state IN ('APPROVED', 'SENDING')")

        await until(settled)
        await until_quiet(pool, 0)


async def has_taken_in(pool: Pool, told: Sequence[Outgoing]) -> bool:
    ids = {dict(each.headers)["ce_id"].decode() for each in told}
    return bool(await pool.fetchval("SELECT count(*) = $2 FROM inbox WHERE event_id = ANY ($1)", ids, len(ids)))


async def digest_of(pool: Pool) -> str:
    async with pool.acquire() as connection:
        return await digest(connection)


async def test_a_rebuild_gives_the_same_read_models(postgres: PostgresSettings, topics: str, pool: Pool) -> None:
    await live(postgres, topics, pool)
    before = await digest_of(pool)
    approvals = await pool.fetch("SELECT * FROM approval ORDER BY approval_id")
    kafka = KafkaSettings(bootstrap_servers=(topics,))
    # Of no group: other tests' records lie in the same topics, and this database's inbox tells which are its own.
    rebuilt = await rebuild(postgres, kafka, group="nobody")
    assert (rebuilt.digest_before, rebuilt.digest) == (before, before)
    assert rebuilt.posts == await pool.fetchval("SELECT count(*) FROM inbox WHERE consumer = $1", GROUP)
    assert await pool.fetch("SELECT * FROM approval ORDER BY approval_id") == approvals


async def test_a_rebuild_plans_what_was_not_drafted_yet(
    desk: Desk, postgres: PostgresSettings, topics: str, pool: Pool
) -> None:
    kafka = KafkaSettings(bootstrap_servers=(topics,))
    told = history(60, seed=1)
    said: list[Said] = [*told, *corrections(told, seed=1)]
    await publish(kafka, *said)
    await desk.hear(*said[:40])
    await desk.worker.step()
    await desk.hear(*said[40:70])
    await desk.worker.step()
    await desk.hear(*said[70:])
    before = await digest_of(pool)
    rebuilt = await rebuild(postgres, kafka, group="nobody")
    assert (rebuilt.digest, rebuilt.planned) == (before, await pool.fetchval("SELECT count(*) FROM draft_job"))
    assert rebuilt.planned > 0


@pytest.mark.parametrize("seed", range(3))
async def test_a_rebuild_agrees_whatever_was_corrected_and_decided_when(
    desk: Desk, postgres: PostgresSettings, topics: str, pool: Pool, seed: int
) -> None:
    kafka, chance, told = KafkaSettings(bootstrap_servers=(topics,)), random.Random(seed), history(60, seed=seed)
    said: list[Said] = [*told, *corrections(told, seed=seed), *corrections(told, seed=seed + 100)]
    await publish(kafka, *said)
    for at, change in enumerate(chance.sample(said, len(said))):
        await desk.hear(change)
        if at % 9 == 8:
            await desk.worker.step()
        if at % 15 == 14:
            reply_id = await pool.fetchval("SELECT reply_id FROM reply ORDER BY state, reply_id LIMIT 1")
            await desk.decide(reply_id, chance.choice(DECISIONS))
    rebuilt = await rebuild(postgres, kafka, group="nobody")
    assert rebuilt.digest == rebuilt.digest_before


async def test_a_rebuild_outlasts_the_limits_of_a_service(
    desk: Desk, postgres: PostgresSettings, topics: str, pool: Pool
) -> None:
    kafka, said = KafkaSettings(bootstrap_servers=(topics,)), history(20, seed=1)
    await publish(kafka, *said)
    await desk.hear(*said)
    hasty = postgres.model_copy(update={"statement_timeout_seconds": 0.4, "command_timeout_seconds": 0.5})
    async with transaction(pool) as reader:
        await reader.execute("LOCK TABLE reply IN ACCESS SHARE MODE")
        rebuilding = asyncio.create_task(rebuild(hasty, kafka, group="nobody"))
        await until(lambda: is_waiting(pool))
        await asyncio.sleep(1)
    rebuilt = await rebuilding
    assert rebuilt.digest == rebuilt.digest_before


async def is_waiting(pool: Pool) -> bool:
    return bool(await pool.fetchval("SELECT count(*) FROM pg_locks WHERE relation = 'reply'::regclass AND NOT granted"))


async def test_a_group_that_starts_again_leaves_the_same_read_models(
    postgres: PostgresSettings, topics: str, pool: Pool
) -> None:
    kafka = KafkaSettings(bootstrap_servers=(topics,))
    begun_at = await end_offsets(kafka, TOPICS)
    await live(postgres, topics, pool)
    before, ended_at = await digest_of(pool), await end_offsets(kafka, TOPICS)
    await reset_group(topics, begun_at)
    async with serving(postgres, topics):

        async def caught_up() -> bool:
            committed = await committed_offsets(kafka, GROUP)
            return all(committed.get(at, 0) >= end for at, end in ended_at.items() if end > begun_at[at])

        await until(caught_up)
        await until_quiet(pool, 0)
    assert await digest_of(pool) == before


async def reset_group(bootstrap: str, offsets: Mapping[tuple[str, int], int]) -> None:
    """Let the group begin there again, as `kafka-consumer-groups --reset-offsets` does."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=GROUP, enable_auto_commit=False)
    await consumer.start()
    try:
        consumer.assign([TopicPartition(*at) for at in offsets])
        await consumer.commit({TopicPartition(*at): offset for at, offset in offsets.items()})
    finally:
        await consumer.stop()


async def test_a_rebuild_is_refused_while_a_responder_runs(postgres: PostgresSettings, topics: str) -> None:
    async with serving(postgres, topics) as served:
        with pytest.raises(Crash, match="stop every replica"):
            await rebuild(postgres, served.kafka)
