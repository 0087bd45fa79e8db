"""WatchInsights over gRPC: every insight once and in order, however often a reader leaves and comes back."""

import asyncio
import random
from collections.abc import AsyncIterator

import pytest

from ascolto.classification.v1 import classification_pb2 as classification
from ascolto.insights.v1 import insights_service_pb2 as pb
from chassis.clock import utc_now
from chassis.postgres import Pool
from services.feedback.handlers import Projector
from services.feedback.store.coverage import record_complete_through
from services.feedback.store.rebuilding import begin_anew
from tests.factories import NOW, timestamp
from tests.integration.feedback.records import (
    classified,
    corrected,
    deleted,
    edited,
    facts_of,
    history,
    name_of,
    sent,
)
from tests.integration.feedback.serving import Reader, Served, Stub, is_caught_up, reason_of, serving

pytestmark = pytest.mark.integration
COMPLAINT, QUESTION = classification.CATEGORY_COMPLAINT, classification.CATEGORY_QUESTION


@pytest.fixture
async def served(pool: Pool) -> AsyncIterator[Served]:
    async with serving(pool) as served:
        yield served


@pytest.fixture
async def stub(served: Served) -> Stub:
    return await served.caller()


async def logged(pool: Pool, tenant: str = "acme") -> list[str]:
    """The event ids of the log, in order."""
    rows = await pool.fetch("SELECT event_id FROM insight WHERE tenant = $1 ORDER BY seq", tenant)
    return [str(row["event_id"]) for row in rows]


async def test_a_reader_gets_the_whole_log_then_what_comes(pool: Pool, stub: Stub, projector: Projector) -> None:
    await projector.handle(facts_of(history()))
    reader = Reader(stub)
    reading = asyncio.create_task(reader.read(lambda _: "late" in reader.texts))
    await reader.reading.wait()
    await projector.handle(facts_of([classified(text="late")]))
    await reading
    assert reader.event_ids == await logged(pool)


async def test_batches_hold_at_most_a_hundred(pool: Pool, stub: Stub, projector: Projector) -> None:
    await projector.handle(facts_of(classified() for _ in range(250)))
    reader = Reader(stub)
    await reader.catch_up()
    sizes = [len(frame.batch.insights) for frame in reader.frames if frame.HasField("batch")]
    assert (sizes, reader.event_ids) == ([100, 100, 50], await logged(pool))


async def test_heavy_insights_fit_into_messages(pool: Pool, stub: Stub, projector: Projector) -> None:
    await projector.handle(facts_of(classified(text="x" * 900_000) for _ in range(6)))
    reader = Reader(stub)
    await reader.catch_up()
    assert reader.event_ids == await logged(pool)


async def test_a_reader_of_something_rare_goes_on_from_behind_the_rest(stub: Stub, projector: Projector) -> None:
    await projector.handle(facts_of(classified() for _ in range(30)))
    reader = Reader(stub, filter=pb.Filter(categories=[QUESTION]))
    await reader.catch_up()
    assert reader.insights == []
    await projector.handle(facts_of([classified(QUESTION, text="rare")]))
    await reader.catch_up()
    assert reader.texts == ["rare"]


async def test_an_idle_stream_says_how_far_it_is(pool: Pool, stub: Stub) -> None:
    await record_complete_through(pool, NOW)
    reader = Reader(stub)
    await reader.read(lambda _: len(reader.frames) == 3)
    assert {frame.checkpoint.caught_up for frame in reader.frames} == {True}
    assert {str(frame.checkpoint.complete_through) for frame in reader.frames} == {str(timestamp(NOW))}


async def test_completeness_is_unset_where_it_is_unknown(stub: Stub) -> None:
    reader = Reader(stub)
    await reader.catch_up()
    assert not reader.frames[-1].checkpoint.HasField("complete_through")


async def test_removals_reach_every_filter_and_take_the_text_away(stub: Stub, projector: Projector) -> None:
    await projector.handle(facts_of([classified(native_id="p", text="SECRET"), sent(name_of("p"))]))
    reader = Reader(stub, filter=pb.Filter(categories=[COMPLAINT]))
    await reader.catch_up()
    await projector.handle(facts_of([deleted(native_id="p")]))
    await reader.catch_up()
    kinds = [insight.WhichOneof("what") for insight in reader.insights]
    assert (kinds, reader.insights[-1].post_removed.post) == (["post", "posts_answered", "post_removed"], name_of("p"))
    late = Reader(stub)
    await late.catch_up()
    assert late.texts == [""]


async def test_a_post_that_turns_out_to_be_the_brands_own_is_a_removal(stub: Stub, projector: Projector) -> None:
    reader = Reader(stub, filter=pb.Filter(categories=[COMPLAINT]))
    await projector.handle(facts_of([classified(native_id="p", text="SECRET")]))
    await reader.catch_up()
    await projector.handle(facts_of([edited(native_id="p", own=True)]))
    await reader.catch_up()
    late = Reader(stub)
    await late.catch_up()
    assert (reader.insights[-1].post_removed.post, late.texts) == (name_of("p"), [""])


async def test_a_post_that_an_edit_takes_out_of_a_filter_is_told_of(stub: Stub, projector: Projector) -> None:
    reader = Reader(stub, filter=pb.Filter(categories=[COMPLAINT]))
    await projector.handle(facts_of([classified(native_id="p")]))
    await reader.catch_up()
    await projector.handle(facts_of([edited(QUESTION, native_id="p")]))
    await reader.catch_up()
    assert [insight.post.classification.category for insight in reader.insights] == [COMPLAINT, QUESTION]


async def test_a_correction_is_told_to_readers_of_what_the_post_was_and_is(stub: Stub, projector: Projector) -> None:
    readers = [Reader(stub, filter=pb.Filter(triage=True)), Reader(stub, filter=pb.Filter(categories=[QUESTION]))]
    await projector.handle(facts_of([classified(native_id="p", decision=classification.DECISION_ABSTAINED)]))
    await projector.handle(facts_of([corrected(native_id="p")]))
    for reader in readers:
        await reader.catch_up()
        told = reader.insights[-1].post.classification
        assert (told.category, told.decision) == (QUESTION, classification.DECISION_CORRECTED)


async def test_tenants_do_not_hear_each_other(pool: Pool, served: Served, projector: Projector) -> None:
    await projector.handle(facts_of([*history(), *history("globex")]))
    reader = Reader(await served.caller(tenant="globex"))
    await reader.catch_up()
    assert reader.event_ids == await logged(pool, "globex")


async def test_a_cursor_is_good_for_its_own_stream_only(served: Served, stub: Stub) -> None:
    reader = Reader(stub)
    await reader.catch_up()
    narrowed = pb.WatchInsightsRequest(cursor=reader.cursor, filter=pb.Filter(networks=["x"]))
    assert await reason_of(stub.WatchInsights(narrowed)) == "CURSOR_INVALID"
    stranger = await served.caller(tenant="globex")
    assert await reason_of(stranger.WatchInsights(pb.WatchInsightsRequest(cursor=reader.cursor))) == "CURSOR_INVALID"


async def test_a_new_epoch_resets_open_streams_and_old_cursors(pool: Pool, stub: Stub, projector: Projector) -> None:
    await projector.handle(facts_of(history()))
    away, there = Reader(stub), Reader(stub)
    await away.catch_up()
    reading = asyncio.create_task(there.read(lambda frame: frame.HasField("reset")))
    await there.reading.wait()
    async with pool.acquire() as connection, connection.transaction():
        await begin_anew(connection)
    await projector.handle(facts_of(history()))
    await reading
    await asyncio.gather(away.catch_up(), there.catch_up())
    assert [frame.HasField("reset") for frame in away.frames].count(True) == 1
    assert away.event_ids == there.event_ids == await logged(pool)


async def test_a_cursor_from_beyond_the_end_is_reset(pool: Pool, stub: Stub, projector: Projector) -> None:
    """A database that was restored from a backup has lost what the cursor stands behind."""
    await projector.handle(facts_of(history()))
    reader = Reader(stub)
    await reader.catch_up()
    await pool.execute("DELETE FROM insight WHERE seq > 3")
    await reader.catch_up()
    assert any(frame.HasField("reset") for frame in reader.frames)
    assert reader.event_ids == await logged(pool)


async def test_an_old_stream_is_sent_away_with_its_cursor(pool: Pool, projector: Projector) -> None:
    await projector.handle(facts_of(history()))
    async with serving(pool, max_stream_seconds=0.4) as served:
        reader = Reader(await served.caller())
        written = await logged(pool)
        while reader.event_ids != written:  # a stream may be too old before it has sent all
            await reader.read(lambda frame: frame.HasField("go_away"))
        await projector.handle(facts_of([classified(text="new")]))
        await reader.catch_up()
    assert reader.event_ids == await logged(pool)


async def test_a_draining_server_sends_its_readers_away(pool: Pool) -> None:
    async with serving(pool) as served:
        reader = Reader(await served.caller())
        reading = asyncio.create_task(reader.read(lambda frame: frame.HasField("go_away")))
        await reader.reading.wait()
        await served.server.__aexit__(None, None, None)
        await reading
    assert reader.frames[-1].go_away.retry_after.ToMilliseconds() > 0


async def test_idle_streams_ask_the_store_nothing(served: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten streams cost what one costs: the tailer alone looks at the log, and pages come from memory."""
    stub, readers = await served.caller(), []
    for _ in range(10):
        readers.append(Reader(stub))
        await readers[-1].catch_up()
    asked: list[str] = []
    monkeypatch.setattr("services.feedback.tailer.read_log", lambda *_, **__: asked.append("page"))
    await asyncio.gather(*(reader.catch_up() for reader in readers))
    assert asked == []


@pytest.mark.parametrize("seed", range(3))
async def test_resumes_under_concurrent_writes_have_no_gap_and_no_repeat(pool: Pool, seed: int) -> None:
    """Two replicas write and serve, readers are cut off at random frames and go on at either one."""
    chance = random.Random(seed)
    written = asyncio.Event()

    async def write(serving_: Served, part: str) -> None:
        projector = Projector(pool, utc_now, on_commit=serving_.tailer.hint)
        for number in range(60):
            await projector.handle(facts_of(classified(native_id=f"{part}{number}-{n}") for n in range(7)))
            await asyncio.sleep(chance.uniform(0, 0.02))

    async def follow(reader: Reader, stubs: list[Stub]) -> None:
        while not written.is_set() or reader.event_ids != await logged(pool):
            reader.stub = chance.choice(stubs)
            last = len(reader.frames) + chance.randint(1, 4)
            await reader.read(lambda frame, last=last: is_caught_up(frame) or len(reader.frames) >= last)  # type: ignore[misc]

    # A small tail, so that readers move between memory and store.
    async with serving(pool, tail_rows=100) as one, serving(pool, tail_rows=100) as two:
        stubs = [await one.caller(), await two.caller()]
        readers = [Reader(stubs[0]) for _ in range(3)]
        following = asyncio.gather(*(follow(reader, stubs) for reader in readers))
        async with asyncio.timeout(60):
            await asyncio.gather(write(one, "a"), write(two, "b"))
            written.set()
            await following
    assert [reader.event_ids for reader in readers] == [await logged(pool)] * 3
