"""The handler on the real store: one effect per event, exact counts, and no text where it does not belong."""

import asyncio
import random
import time

import pytest

from ascolto.classification.v1 import classification_pb2 as classification
from ascolto.insights.v1 import insights_service_pb2 as pb
from ascolto.replies.v1 import reply_event_pb2 as replies
from chassis.clock import utc_now
from chassis.errors import Crash
from chassis.messages import Outgoing
from chassis.postgres import POSTGRES_UNAVAILABLE, Pool, PostgresSettings, open_pool, transaction
from contracts.examples import examples
from contracts.topics import FEEDBACK, consumed_by
from services.feedback.facts import read
from services.feedback.handlers import Projector, project
from services.feedback.store.digest import digest
from services.feedback.store.locks import one_fold_at_a_time
from services.feedback.store.volumes import volumes_match
from tests.integration.feedback.records import (
    classified,
    corrected,
    deleted,
    disputed,
    edited,
    facts_of,
    history,
    name_of,
    reply,
    sent,
)

pytestmark = pytest.mark.integration
QUESTION = classification.CATEGORY_QUESTION


async def digest_of(pool: Pool) -> str:
    async with pool.acquire() as connection:
        return await digest(connection)


async def counts(pool: Pool) -> dict[str, int]:
    rows = await pool.fetch("SELECT category, sum(post_count)::int AS posts FROM volume GROUP BY category")
    return {row["category"]: row["posts"] for row in rows}


async def sizes(pool: Pool, *tables: str) -> list[int]:
    return [await pool.fetchval(f"SELECT count(*) FROM {table}") for table in tables]  # noqa: S608 - a name of ours


async def empty(pool: Pool) -> None:
    await pool.execute("TRUNCATE inbox, post, volume, answer, insight, coverage, coverage_gap")


async def test_a_history_is_counted_exactly(pool: Pool, projector: Projector) -> None:
    await projector.handle(facts_of(history()))
    assert await counts(pool) == {"complaint": 5, "question": 1}
    assert await volumes_match(pool)


async def test_the_check_of_the_counts_can_fail(pool: Pool, projector: Projector) -> None:
    await projector.handle(facts_of(history()))
    await pool.execute("UPDATE volume SET post_count = post_count + 1 WHERE category = 'question'")
    assert not await volumes_match(pool)


async def test_everything_twice_changes_nothing(pool: Pool, projector: Projector) -> None:
    facts = facts_of(disputed())
    await projector.handle(facts + facts)
    once, seq = await digest_of(pool), await pool.fetchval("SELECT max(seq) FROM insight")
    await projector.handle(facts)
    assert (await digest_of(pool), await pool.fetchval("SELECT max(seq) FROM insight")) == (once, seq)


async def test_a_lost_inbox_does_no_harm(pool: Pool, projector: Projector) -> None:
    facts = facts_of(disputed())
    await projector.handle(facts)
    once = await digest_of(pool)
    await pool.execute("TRUNCATE inbox")
    await projector.handle(facts)
    assert await digest_of(pool) == once


@pytest.mark.parametrize("seed", range(4))
async def test_any_order_and_batching_gives_the_same_digest(pool: Pool, projector: Projector, seed: int) -> None:
    facts, chance = facts_of([*disputed(), edited(native_id="n4", own=True)]), random.Random(seed)
    await projector.handle(facts)
    in_order = await digest_of(pool)
    await empty(pool)
    shuffled = chance.sample(facts, len(facts)) + chance.sample(facts, 3)
    size = chance.randint(1, 5)
    for at in range(0, len(shuffled), size):
        await projector.handle(shuffled[at : at + size])
    assert await digest_of(pool) == in_order
    assert await volumes_match(pool)


async def test_the_digest_tells_read_models_apart(pool: Pool, projector: Projector) -> None:
    await projector.handle(facts_of(history()))
    before = await digest_of(pool)
    await pool.execute("UPDATE post SET evidence = evidence || '\\x00' WHERE post_name = $1", name_of("n3"))
    assert await digest_of(pool) != before


async def test_a_correction_moves_the_count_once_however_often_it_is_read(pool: Pool, projector: Projector) -> None:
    await projector.handle(facts_of([classified(native_id="p"), corrected(native_id="p")]))
    await pool.execute("TRUNCATE inbox")
    await projector.handle(facts_of([corrected(native_id="p"), classified(native_id="p")]))
    assert (await counts(pool), await volumes_match(pool)) == ({"question": 1}, True)


async def test_a_correction_that_is_read_first_ends_in_the_same_tables(pool: Pool, projector: Projector) -> None:
    told = facts_of([classified(native_id="p", create_time=None), corrected(native_id="p", create_time=None)])
    await projector.handle(told)
    in_order = await digest_of(pool)
    await empty(pool)
    for fact in reversed(told):
        await projector.handle([fact])
    assert (await digest_of(pool), await volumes_match(pool)) == (in_order, True)


@pytest.mark.parametrize("take_away", [edited(native_id="p", text="harmless"), deleted(native_id="p")])
async def test_what_was_said_before_stands_nowhere(pool: Pool, projector: Projector, take_away: Outgoing) -> None:
    await projector.handle(facts_of([classified(native_id="p", text="my number is SECRET")]))
    await projector.handle(facts_of([take_away]))
    for table in ("post", "insight", "volume", "answer", "inbox"):
        rows = await pool.fetch(f"SELECT {table}::text AS row FROM {table}")  # noqa: S608 - a name of this list
        assert not [row for row in rows if b"SECRET".hex() in row["row"] or "SECRET" in row["row"]]


async def test_text_stands_in_one_place_only(pool: Pool, projector: Projector) -> None:
    await projector.handle(facts_of([classified(native_id="p", text="SECRET")]))
    evidence = await pool.fetchval("SELECT evidence FROM post")
    payload = await pool.fetchval("SELECT payload FROM insight")
    assert pb.PostEvidence.FromString(evidence).post.utterance.text == "SECRET"
    assert not pb.Insight.FromString(payload).post.post.HasField("utterance")


async def test_an_answer_may_be_read_before_the_post(pool: Pool, projector: Projector) -> None:
    await projector.handle(facts_of([sent(name_of("p")), classified(native_id="p")]))
    assert await pool.fetchval("SELECT count(*) FROM answer JOIN post USING (post_name)") == 1


async def test_facts_that_teach_nothing_are_claimed(pool: Pool, projector: Projector) -> None:
    await projector.handle(facts_of([reply(replies.Sending(attempt=1), name_of("p"))]))
    assert await sizes(pool, "inbox", "insight") == [1, 0]


async def test_golden_examples_of_every_topic_are_taken_in(pool: Pool, projector: Projector) -> None:
    records = [record for topic in consumed_by(FEEDBACK) for record, _ in examples(topic)]
    facts = [read(record) for record in records]
    await projector.handle(facts)
    assert await pool.fetchval("SELECT count(*) FROM inbox") == len({fact.event_id for fact in facts})
    assert await volumes_match(pool)


async def fail_after_projecting(pool: Pool) -> None:
    async with transaction(pool) as connection:
        await project(connection, facts_of(history()))
        raise Crash("after the last statement")


async def test_a_batch_that_fails_leaves_nothing_behind(pool: Pool) -> None:
    with pytest.raises(Crash):
        await fail_after_projecting(pool)
    assert await sizes(pool, "inbox", "post") == [0, 0]


async def test_two_writers_of_the_same_posts_end_as_one(pool: Pool, projector: Projector) -> None:
    """A creation and its deletion come by two topics, to two replicas, at the same time."""
    creations = facts_of(classified(native_id=f"p{number}") for number in range(40))
    deletions = facts_of(deleted(native_id=f"p{number}") for number in range(40))
    other = Projector(pool, utc_now, on_commit=lambda: None)
    work = [projector.handle(creations[at : at + 4]) for at in range(0, 40, 4)]
    work += [other.handle(deletions[at : at + 4]) for at in range(0, 40, 4)]
    random.Random(1).shuffle(work)
    await asyncio.gather(*work)
    assert (await counts(pool), await volumes_match(pool)) == ({}, True)


async def test_numbers_become_visible_in_ascending_order(pool: Pool, projector: Projector) -> None:
    """A reader that goes on from the highest number it saw misses none, whoever writes beside whom."""
    other = Projector(pool, utc_now, on_commit=lambda: None)
    batches = [facts_of(classified(native_id=f"p{number}-{n}") for n in range(5)) for number in range(40)]
    writers = asyncio.gather(*((projector, other)[n % 2].handle(batch) for n, batch in enumerate(batches)))
    seen, written = list[int](), False
    while not written:
        written = writers.done()  # asked before reading: what is committed by then is visible to the read
        rows = await pool.fetch("SELECT seq FROM insight WHERE seq > $1 ORDER BY seq", seen[-1] if seen else 0)
        seen += [row["seq"] for row in rows]
    await writers
    assert len(seen) == await pool.fetchval("SELECT count(*) FROM insight") == 200


async def test_a_fold_that_waits_in_vain_is_no_fault_of_the_batch(pool: Pool, postgres: PostgresSettings) -> None:
    impatient = postgres.model_copy(update={"statement_timeout_seconds": 0.2})
    async with open_pool(impatient, schema="feedback", application_name="test") as other, transaction(pool) as holder:
        await one_fold_at_a_time(holder)
        with pytest.raises(POSTGRES_UNAVAILABLE):
            await Projector(other, utc_now, on_commit=lambda: None).handle(facts_of(history()))


async def test_a_core_folds_fifteen_hundred_posts_a_second(projector: Projector) -> None:
    """CPU time of this process, so that neighbours on the machine do not count."""
    records = [classified(native_id=f"p{number}", text="Why does my lamp blink? " * 8) for number in range(3_000)]
    started = time.process_time()
    for at in range(0, len(records), 500):
        await projector.handle(facts_of(records[at : at + 500]))
    rate = len(records) / (time.process_time() - started)
    assert rate > 1_500, f"{rate:.0f} posts/s"
