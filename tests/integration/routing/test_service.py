"""The whole service on the real Kafka and PostgreSQL: a person's word goes round once, and stands."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from ascolto.classification.v1 import classification_pb2 as classification
from ascolto.posts.v1 import post_pb2 as posts
from chassis.errors import Crash
from chassis.kafka import KafkaSettings, read_range
from chassis.messages import Outgoing
from chassis.outbox.rows import write_headers
from chassis.postgres import Pool, PostgresSettings
from contracts import identity
from contracts.codec import Event, decode, encode
from contracts.topics import CLASSIFIED, CORRECTIONS, POSTS
from services.routing.rebuild import RebuildRefused, rebuild
from services.routing.store.digest import digest
from tests.factories import make_event, make_post_received
from tests.integration.routing.processes import move_groups, process, publish, uncommitted
from tests.integration.routing.records import COMPLAINT, QUESTION, edited, history, name_of
from tests.integration.routing.serving import correct, decision_of

pytestmark = pytest.mark.integration


@pytest.fixture
async def kafka(topics: str) -> KafkaSettings:
    settings = KafkaSettings.model_validate({"bootstrap_servers": topics})
    await move_groups(settings, to_end=True)
    return settings


def received(native_id: str, **parts: object) -> Outgoing:
    message = make_post_received(native_id=native_id, **parts)
    return encode(POSTS, identity.last_segment(message.post.conversation), make_event(message))


async def until(condition: Callable[[], Awaitable[bool]], *, timeout_seconds: float = 40.0) -> None:
    deadline = monotonic() + timeout_seconds
    while not await condition():
        assert monotonic() < deadline, "the condition did not hold in time"
        await asyncio.sleep(0.05)


async def settled(kafka: KafkaSettings, pool: Pool) -> None:
    """Wait until everything on the topics was committed, and everything in the outbox published."""

    async def done() -> bool:
        passed_on = await uncommitted(kafka) == 0 and await pool.fetchval("SELECT count(*) FROM outbox") == 0
        return passed_on and await uncommitted(kafka) == 0  # routing reads some of what it publishes

    await until(done)


async def told(kafka: KafkaSettings) -> list[Event[classification.CategoryCorrected]]:
    """Every correction on the topic."""
    records = [record async for record in read_range(kafka, CORRECTIONS.name)]
    return [Event(event.metadata, event.message) for event in map(decode, records)]  # type: ignore[arg-type]


async def told_of(kafka: KafkaSettings, name: str) -> list[classification.PostClassified]:
    """Every classification of a post, by revision."""
    found = [
        decode(record).message
        for topic in CLASSIFIED
        async for record in read_range(kafka, topic.name)
        if dict(record.headers)["ce_subject"].decode() == name
    ]
    return sorted((each for each in found if isinstance(each, classification.PostClassified)), key=_revision)


def _revision(message: classification.PostClassified) -> int:
    return message.post.revision


async def digest_of(pool: Pool) -> str:
    async with pool.acquire() as connection:
        return await digest(connection)


async def test_a_correction_goes_out_and_holds_for_the_next_revision(
    pool: Pool, postgres: PostgresSettings, kafka: KafkaSettings
) -> None:
    post = name_of("p")
    async with process(postgres, kafka) as running, running.caller() as stub:
        await publish(kafka, [received("p", text="My lamp is broken again and nobody answers!")])
        await settled(kafka, pool)
        await correct(stub, post, QUESTION, kind=classification.KIND_INFORMATION_REQUEST)
        await settled(kafka, pool)
        edit = received("p", text="My lamp is broken, terrible!", state=posts.STATE_EDITED, revision=2)
        await publish(kafka, [edit])
        await settled(kafka, pool)
        decision = await decision_of(stub, post)
    (event,) = await told(kafka)
    first, second = await told_of(kafka, post)
    assert event.message.corrected.classification.category == QUESTION
    assert (second.classification.decision, second.classification.category, second.classification.kind) == (
        classification.DECISION_CORRECTED,
        QUESTION,
        classification.KIND_INFORMATION_REQUEST,
    )
    assert second.classification.model == first.classification.model
    assert (decision.post.revision, decision.corrected_by) == (2, "users/ada")


async def standing_of(pool: Pool) -> list[tuple[object, ...]]:
    return [
        tuple(row.values()) for row in await pool.fetch("SELECT post_name, event_id, payload FROM decision ORDER BY 1")
    ]


async def test_redelivery_of_everything_changes_nothing(
    pool: Pool, postgres: PostgresSettings, kafka: KafkaSettings
) -> None:
    async with process(postgres, kafka) as running, running.caller() as stub:
        await publish(kafka, [received(f"p{number}") for number in range(20)] * 2)
        await settled(kafka, pool)
        await correct(stub, name_of("p3"))
        await settled(kafka, pool)
    once = await standing_of(pool)
    await move_groups(kafka, to_end=False)
    async with process(postgres, kafka):
        await settled(kafka, pool)
    assert (len(once), await standing_of(pool)) == (20, once)
    assert len(await told(kafka)) == 1


async def test_a_rebuild_beside_the_running_service_ends_in_the_same_digest(
    pool: Pool, postgres: PostgresSettings, kafka: KafkaSettings
) -> None:
    classifications = [each for each in history() if each.topic != CORRECTIONS.name]
    async with process(postgres, kafka) as running, running.caller() as stub:
        await publish(kafka, classifications)
        await settled(kafka, pool)
        for native_id in ("n7", "n3"):
            await correct(stub, name_of(native_id))
        await settled(kafka, pool)
        before = await digest_of(pool)
        await pool.execute("DELETE FROM decision WHERE post_name = $1", name_of("n4"))
        rebuilt = await rebuild(postgres, kafka)
        await publish(kafka, [received("later")])
        await settled(kafka, pool)
        assert (await decision_of(stub, name_of("later"))).post.native_id == "later"
    assert rebuilt.digest == before != rebuilt.digest_before
    assert len(await told(kafka)) == 2


async def test_a_correction_that_was_not_published_yet_is_not_lost_by_a_rebuild(
    pool: Pool, postgres: PostgresSettings, kafka: KafkaSettings
) -> None:
    async with process(postgres, kafka) as running, running.caller() as stub:
        await publish(kafka, [received("p")])
        await settled(kafka, pool)
        await correct(stub, name_of("p"))
        await settled(kafka, pool)
    (record,) = [record async for record in read_range(kafka, CORRECTIONS.name)]
    before = await digest_of(pool)
    await pool.execute(
        "INSERT INTO outbox (shard, topic, key, value, headers) VALUES (1, $1, $2, $3, $4)",
        record.topic,
        record.key,
        record.value,
        write_headers(record.headers),
    )
    assert (await rebuild(postgres, kafka)).digest == before


async def with_an_edit_that_no_label_reached(
    pool: Pool, postgres: PostgresSettings, kafka: KafkaSettings, **parts: Any
) -> None:
    """A labelled post, and on its topic a revision that was classified while the person was still deciding."""
    async with process(postgres, kafka) as running, running.caller() as stub:
        await publish(kafka, [received("p")])
        await settled(kafka, pool)
        await correct(stub, name_of("p"), QUESTION)
        await settled(kafka, pool)
    await publish(kafka, [edited(native_id="p", text="and again", **parts)])


async def test_a_label_stands_over_a_revision_that_a_rebuild_reads_before_the_service(
    pool: Pool, postgres: PostgresSettings, kafka: KafkaSettings
) -> None:
    await with_an_edit_that_no_label_reached(pool, postgres, kafka)
    rebuilt = await rebuild(postgres, kafka)
    async with process(postgres, kafka) as running, running.caller() as stub:
        await settled(kafka, pool)
        decision = await decision_of(stub, name_of("p"))
    first, second = [event.message for event in await told(kafka)]
    assert (decision.classification.category, decision.post.revision) == (QUESTION, 2)
    assert (second.corrected.post.revision, second.was, second.corrected_by) == (2, COMPLAINT, first.corrected_by)
    assert (rebuilt.heeded, rebuilt.digest) == (1, await digest_of(pool))
    again = await rebuild(postgres, kafka)
    assert (again.heeded, again.digest) == (0, rebuilt.digest)


async def test_a_label_under_rules_is_not_let_stand_without_them(
    pool: Pool, postgres: PostgresSettings, kafka: KafkaSettings, tmp_path: Path
) -> None:
    await with_an_edit_that_no_label_reached(pool, postgres, kafka, priority=classification.PRIORITY_HIGH)
    before = await digest_of(pool)
    with pytest.raises(RebuildRefused, match="set ROUTING_RULES_DIR"):
        await rebuild(postgres, kafka)
    await pool.execute("INSERT INTO rules_in_force VALUES ('acme', 'rules', 'digest', now())")
    with pytest.raises(RebuildRefused, match="posts of acme are handled by rules, and this command finds none"):
        await rebuild(postgres, kafka, rules_dir=tmp_path)
    assert await digest_of(pool) == before
    (tmp_path / "acme.yaml").write_text("calendar: always\ndefault: {queue: care}\nrules: []\n")
    assert (await rebuild(postgres, kafka, rules_dir=tmp_path)).heeded == 1
    payload = await pool.fetchval("SELECT payload FROM decision")
    assert classification.PostClassified.FromString(payload).handling.queue == "care"


async def test_an_interrupted_rebuild_leaves_everything_as_it_was(
    pool: Pool, postgres: PostgresSettings, kafka: KafkaSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    await publish(kafka, history())
    whole = (await rebuild(postgres, kafka)).digest

    async def die(*_: object) -> None:
        raise Crash("killed")

    monkeypatch.setattr("services.routing.rebuild.project", die)
    with pytest.raises(Crash, match="killed"):
        await rebuild(postgres, kafka)
    assert await digest_of(pool) == whole


async def test_a_label_that_a_restored_database_has_forgotten_is_learnt_again(
    pool: Pool, postgres: PostgresSettings, kafka: KafkaSettings
) -> None:
    async with process(postgres, kafka) as running, running.caller() as stub:
        await publish(kafka, [received("p"), received("q")])
        await settled(kafka, pool)
        for category in (COMPLAINT, QUESTION):
            await correct(stub, name_of("p"), category)
        await correct(stub, name_of("q"))
        await settled(kafka, pool)
    kept = "SELECT post_name, category, reason, corrected_by, corrected_at, revision FROM label ORDER BY 1"
    before, kept_id = (
        await pool.fetch(kept),
        await pool.fetchval("SELECT id FROM label WHERE post_name = $1", name_of("q")),
    )
    await pool.execute("DELETE FROM label WHERE post_name = $1", name_of("p"))
    await rebuild(postgres, kafka)
    assert await pool.fetch(kept) == before
    assert await pool.fetchval("SELECT id FROM label WHERE post_name = $1", name_of("q")) == kept_id
