"""The fold of decisions on the real store: the same whatever the order, and no text where it does not belong."""

import asyncio
import random

import pytest

from ascolto.classification.v1.classification_pb2 import PostClassified
from chassis.messages import Outgoing
from chassis.postgres import POSTGRES_UNAVAILABLE, Pool, PostgresSettings, open_pool, transaction
from contracts.examples import examples
from contracts.topics import CLASSIFIED, CORRECTIONS
from services.routing.corrections import no_rules
from services.routing.facts import read
from services.routing.handlers import Projector
from services.routing.standing import standing
from services.routing.store.digest import digest
from services.routing.store.locks import rebuilding
from tests.integration.routing.records import (
    classified,
    corrected,
    deleted,
    edited,
    facts_of,
    history,
    name_of,
    promoted,
)

pytestmark = pytest.mark.integration


async def digest_of(pool: Pool) -> str:
    async with pool.acquire() as connection:
        return await digest(connection)


async def standing_of(pool: Pool, native_id: str = "p") -> tuple[str, str, int]:
    row = await pool.fetchrow(
        "SELECT category, decision, revision FROM decision WHERE post_name = $1", name_of(native_id)
    )
    assert row is not None
    return row["category"], row["decision"], row["revision"]


async def test_a_history_ends_in_what_stands_of_each_post(pool: Pool, projector: Projector) -> None:
    facts = facts_of(history())
    await projector.handle(facts)
    rows = await pool.fetch('SELECT * FROM decision ORDER BY post_name COLLATE "C"')
    assert [tuple(row.values()) for row in rows] == [tuple(each) for each in standing(f.decided for f in facts)]


@pytest.mark.parametrize("seed", range(6))
async def test_any_order_and_batching_gives_the_same_digest(pool: Pool, projector: Projector, seed: int) -> None:
    facts, chance = facts_of(history()), random.Random(seed)
    await projector.handle(facts)
    in_order = await digest_of(pool)
    await pool.execute("TRUNCATE inbox, decision, judgement")
    shuffled = chance.sample(facts, len(facts)) + chance.sample(facts, 4)
    size = chance.randint(1, 5)
    for at in range(0, len(shuffled), size):
        await projector.handle(shuffled[at : at + size])
    assert await digest_of(pool) == in_order


async def test_everything_twice_and_a_lost_inbox_change_nothing(pool: Pool, projector: Projector) -> None:
    facts = facts_of(history())
    await projector.handle(facts + facts)
    once = await digest_of(pool)
    await pool.execute("TRUNCATE inbox")
    await projector.handle(facts)
    assert await digest_of(pool) == once


@pytest.mark.parametrize(
    ("told", "stands"),
    [
        ([classified(native_id="p"), corrected(native_id="p")], ("question", "corrected", 1)),
        ([classified(native_id="p"), corrected(native_id="p"), promoted(native_id="p")], ("question", "corrected", 1)),
        ([classified(native_id="p"), promoted(native_id="p")], ("other", "assigned", 1)),
        ([corrected(native_id="p"), edited(native_id="p")], ("complaint", "assigned", 2)),
        ([corrected(native_id="p"), deleted(native_id="p")], ("other", "rule", 1)),
    ],
)
async def test_the_greater_of_two_stands(
    pool: Pool, projector: Projector, told: list[Outgoing], stands: tuple[str, str, int]
) -> None:
    for each in reversed(facts_of(told)):
        await projector.handle([each])
    assert await standing_of(pool) == stands


async def test_the_digest_tells_read_models_apart(pool: Pool, projector: Projector) -> None:
    await projector.handle(facts_of(history()))
    before = await digest_of(pool)
    await pool.execute("UPDATE decision SET payload = payload || '\\x00' WHERE post_name = $1", name_of("n4"))
    assert await digest_of(pool) != before


@pytest.mark.parametrize("take_away", [edited(native_id="p", text="harmless"), deleted(native_id="p")])
async def test_what_was_said_before_stands_nowhere(pool: Pool, projector: Projector, take_away: Outgoing) -> None:
    said = classified(native_id="p", text="my number is SECRET")
    message = PostClassified.FromString(said.value)
    message.classification.reasons.append("word:SECRET")
    message.classification.evidence.add(output="category", feature="word:SECRET", start=13, end=19)
    await projector.handle(facts_of([Outgoing(said.topic, said.key, message.SerializeToString(), said.headers)]))
    assert await holding(pool, "SECRET") == ["decision"]
    await projector.handle(facts_of([take_away]))
    assert await holding(pool, "SECRET") == []


async def holding(pool: Pool, word: str) -> list[str]:
    """The tables in which the word stands, plain or in bytes."""
    tables = ["decision", "judgement", "label", "outbox", "request", "inbox"]
    texts = {
        table: "".join(row["row"] for row in await pool.fetch(f"SELECT held::text AS row FROM {table} AS held"))  # noqa: S608 - names of this list
        for table in tables
    }
    return [table for table, text in texts.items() if word in text or word.encode().hex() in text]


async def test_golden_examples_are_taken_in(pool: Pool, projector: Projector) -> None:
    facts = [read(record) for topic in (*CLASSIFIED, CORRECTIONS) for record, _ in examples(topic)]
    await projector.handle(facts)
    assert await pool.fetchval("SELECT count(*) FROM judgement") == len({fact.event_id for fact in facts})


async def test_two_writers_of_the_same_posts_end_as_one(pool: Pool, projector: Projector) -> None:
    """A creation and its deletion come by two topics, to two replicas, at the same time."""
    creations = facts_of(classified(native_id=f"p{number}") for number in range(40))
    deletions = facts_of(deleted(native_id=f"p{39 - number}") for number in range(40))
    other = Projector(pool, no_rules, on_corrections=lambda: None)
    work = [projector.handle(creations[at : at + 8]) for at in range(0, 40, 8)]
    work += [other.handle(deletions[at : at + 8]) for at in range(0, 40, 8)]
    random.Random(1).shuffle(work)
    await asyncio.gather(*work)
    assert await pool.fetchval("SELECT count(*) FROM decision WHERE NOT deleted OR payload IS NOT NULL") == 0
    assert await pool.fetchval("SELECT count(*) FROM decision") == 40


async def test_a_fold_that_waits_for_a_rebuild_is_no_fault_of_the_batch(pool: Pool, postgres: PostgresSettings) -> None:
    impatient = postgres.model_copy(update={"statement_timeout_seconds": 0.2})
    async with open_pool(impatient, schema="routing", application_name="test") as other, transaction(pool) as holder:
        await rebuilding(holder)
        with pytest.raises(POSTGRES_UNAVAILABLE):
            await Projector(other, no_rules, on_corrections=lambda: None).handle(facts_of(history()))
