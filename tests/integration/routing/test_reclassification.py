"""`ascolto reclassify` as a process on the real store: killed at any moment, it neither repeats nor leaves out."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import pytest

from ascolto.classification.v1 import classification_pb2 as classification
from chassis.clock import utc_now
from chassis.kafka import KafkaSettings
from chassis.postgres import Pool, PostgresSettings, connect, transaction
from services.routing.classifier import Cascade
from services.routing.corrections import no_rules
from services.routing.decisions import classify_batch
from services.routing.handlers import Projector
from services.routing.rebuild import rebuild
from services.routing.reclassification import promoting
from services.routing.reclassification.candidates import Stood, judge
from services.routing.reclassification.promoting import Rules
from services.routing.reclassification.refusals import ReclassificationRefused
from services.routing.reclassification.running import begin_or_resume
from services.routing.store import candidates, runs
from services.routing.store.runs import Wanted
from tests.factories import make_event, make_post_received
from tests.integration.routing.candidate import MODEL, Told
from tests.integration.routing.commands import (
    AS_SHIPPED,
    TOLD,
    Command,
    Condition,
    beyond,
    emitted,
    refusal,
    snapshot,
    stands,
    the_run,
)
from tests.integration.routing.crowd import Member, accuracies, confusion, crowd, settle
from tests.integration.routing.processes import publish
from tests.integration.routing.records import (
    OTHER,
    QUESTION,
    by_language_model,
    classified,
    deleted,
    edited,
    facts_of,
    name_of,
)
from tests.integration.routing.serving import correct, serving

pytestmark = pytest.mark.integration
WITHOUT_RULES: Final = Rules(no_rules, known=False)


@pytest.fixture
def command(migrated_dsn: str, tmp_path: Path) -> Command:
    return Command(migrated_dsn, tmp_path)


@pytest.mark.slow
async def test_a_hundred_thousand_posts_killed_twice_are_each_judged_once(pool: Pool, command: Command) -> None:
    members = crowd(100_000)
    await settle(pool, [*members, *crowd(500, tenant="other", seed=2)])
    before = await snapshot(pool, members)
    for number in (10_000, 60_000):
        await command.killed(*TOLD, when=beyond(pool, "judged", number))
        assert await pool.fetchval("SELECT count(*) FROM reclassification_result") == (await the_run(pool))["judged"]
    told = await command.report(*TOLD)
    cells = {tuple(list(row["cell"].values())[:4]): row["cell"] for row in told if "cell" in row}
    judged = [member for member in members if member.judged]
    names = {row["post_name"] for row in await pool.fetch("SELECT post_name FROM reclassification_result")}
    assert (told[0]["run"]["judged"], names) == (len(judged), {member.name for member in judged})
    assert {cell: (row["posts"], row["differing"]) for cell, row in cells.items()} == confusion(members)
    assert_totals(told[-1]["total"], members)
    assert await snapshot(pool, members) == before


def assert_totals(total: dict[str, Any], members: Sequence[Member]) -> None:
    live = [member for member in members if member.fate == "live"]
    assert (total["posts"], total["differing"]) == (len(live), sum(member.differs for member in live))
    assert (total["labels"], total["stands_accuracy"], total["candidate_accuracy"]) == accuracies(members)
    assert sum(total["changes"].values()) == total["differing"]


async def test_the_report_counts_each_place_and_names_examples_that_differ(pool: Pool, command: Command) -> None:
    members = {member.name: member for member in crowd(3_000)}
    await settle(pool, [*members.values()])
    told = await command.report(*TOLD, "--examples", "2", "--texts")
    cells = [row["cell"] for row in told if "cell" in row]
    groups = [row["group"] for row in told if "group" in row]
    assert all(len(cell["examples"]) == min(2, cell["differing"]) for cell in cells)
    for cell in cells:
        for name in cell["examples"]:
            place = members[name].language, members[name].network
            assert (members[name].differs, place) == (True, (cell["language"], cell["network"]))
            assert cell["texts"][name].split()[0] == members[name].candidate[0]
    assert [(group["language"], group["network"], group["posts"]) for group in groups] == [
        (language, network, sum(cell["posts"] for cell in cells if (cell["language"], cell["network"]) == place))
        for place in sorted({(cell["language"], cell["network"]) for cell in cells})
        for language, network in [place]
    ]


@pytest.mark.slow
async def test_a_promotion_killed_again_and_again_tells_each_change_once(pool: Pool, command: Command) -> None:
    members = crowd(6_000, differing=0.7)
    await settle(pool, members)
    run = (await command.report(*TOLD))[0]["run"]["id"]
    left = [member for member in members if not member.differs]
    untouched = await snapshot(pool, left)
    for number in (0, 700, 1_900):
        await command.killed("--promote", run, when=beyond(pool, "promoted", number))
        assert len(await emitted(pool)) == (await the_run(pool))["promoted"]
    await command.run("--promote", run)
    changed = [member for member in members if member.differs]
    told = await emitted(pool)
    assert sorted(post for _, post in told) == sorted(member.name for member in changed)
    assert len({event_id for event_id, _ in told}) == len(changed) == (await the_run(pool))["promoted"]
    assert await stands(pool, changed) == {member.name: member.candidate for member in changed}
    assert (await snapshot(pool, left), await pool.fetchval("SELECT count(*) FROM reclassification_result")) == (
        untouched,
        0,
    )


@asynccontextmanager
async def holding(pool: Pool, lock: str) -> AsyncIterator[Condition]:
    """Hold a lock during the block; the condition is that somebody waits for it, in the middle of a page."""
    async with transaction(pool) as holder:
        await holder.execute(lock)
        pid = await holder.fetchval("SELECT pg_backend_pid()")
        blocked = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND $1 = ANY (pg_blocking_pids(pid)))"
        yield lambda: pool.fetchval(blocked, pid)


# The first is taken after the results or decisions of a page were written, the second before its events are.
RUN_ROW = "SELECT * FROM reclassification_run FOR NO KEY UPDATE"
OUTBOX = "SELECT pg_advisory_xact_lock(hashtext('routing.outbox.write'), shard) FROM generate_series(0, 15) AS shard"


async def traces(pool: Pool) -> list[int]:
    """How much there is of what a page writes."""
    tables = ("reclassification_result", "judgement", "outbox")
    return [await pool.fetchval(f"SELECT count(*) FROM {table}") for table in tables]  # noqa: S608 - names of this list


async def test_of_a_page_of_results_that_is_killed_nothing_stays(pool: Pool, command: Command) -> None:
    await settle(pool, crowd(50))
    async with pool.acquire() as connection:
        await begin_or_resume(connection, "acme", Wanted(MODEL))
    async with holding(pool, RUN_ROW) as reached:
        await command.killed(*TOLD, when=reached)
    assert ((await the_run(pool))["judged"], await traces(pool)) == (0, [0, 0, 0])


@pytest.mark.parametrize("lock", [RUN_ROW, OUTBOX])
async def test_of_a_page_of_corrections_that_is_killed_nothing_stays(pool: Pool, command: Command, lock: str) -> None:
    members = crowd(50, differing=0.9)
    await settle(pool, members)
    run = (await command.report(*TOLD))[0]["run"]["id"]
    await pool.execute("UPDATE reclassification_run SET state = 'promoting', cursor = ''")
    before = await snapshot(pool, members), await traces(pool)
    async with holding(pool, lock) as reached:
        await command.killed("--promote", run, when=reached)
    assert (await snapshot(pool, members), await traces(pool)) == before


async def test_what_people_or_the_network_said_meanwhile_is_left_alone_and_counted(
    pool: Pool, projector: Projector, command: Command
) -> None:
    names = [f"p{number}" for number in range(5)]
    await projector.handle(facts_of(classified(native_id=name, text="feedback praise assigned") for name in names))
    run = (await command.report(*TOLD))[0]["run"]["id"]
    await projector.handle(facts_of([edited(native_id="p1", text="new words"), deleted(native_id="p2")]))
    async with serving(pool) as served:
        await correct(await served.caller(), name_of("p3"))
    told = (await command.report("--promote", run[:8], "--json"))[0]["run"]
    counts = [told[name] for name in ("promoted", "left_revised", "left_labelled", "left_equal")]
    rows = await pool.fetch("SELECT post_name, category FROM decision WHERE category = 'feedback'")
    assert (counts, {row["post_name"] for row in rows}) == ([2, 2, 1, 0], {name_of("p0"), name_of("p4")})
    label = await pool.fetchrow("SELECT category, corrected_by FROM label")
    assert label is not None
    assert tuple(label.values()) == ("question", "users/ada")


async def test_what_a_language_model_decided_stays_where_the_candidate_alone_is_unsure(
    pool: Pool, projector: Projector, command: Command
) -> None:
    told = [
        by_language_model("unsure", "other chatter abstained"),
        by_language_model("sure", "feedback praise assigned"),
        classified(native_id="first", text="other chatter abstained"),
        classified(native_id="later", text="other chatter abstained"),
    ]
    await projector.handle(facts_of(told))
    report = await command.report(*TOLD)
    run, total = report[0]["run"], report[-1]["total"]
    assert (run["differing"], run["stands_by_language_model"]) == (3, 1)
    assert (total["differing"], total["equal"], total["stands_by_language_model"]) == (3, 0, 1)
    assert "1 posts stay as a language model decided them" in " ".join((await command.run("--model", "told")).split())
    await pool.execute("UPDATE decision SET stage = 'language_model' WHERE post_name = $1", name_of("later"))
    left = (await command.report("--promote", run["id"], "--json"))[0]["run"]
    assert (left["promoted"], left["stands_by_language_model"]) == (2, 2)
    waiting = await pool.fetch("SELECT post_name FROM decision WHERE decision = 'abstained'")
    assert [row["post_name"] for row in waiting] == [name_of("first")]


async def test_a_rebuild_in_between_takes_no_words_away_that_still_stand(
    pool: Pool, postgres: PostgresSettings, topics: str, command: Command
) -> None:
    """Each revision has a topic of its own, so that the rebuild folds one after the other."""
    kafka = KafkaSettings.model_validate({"bootstrap_servers": topics})
    parts: dict[str, Any] = {"native_id": "p", "text": "feedback praise assigned"}
    await publish(kafka, [classified(QUESTION, **parts), edited(2, **parts), edited(3, category=OTHER, **parts)])
    await rebuild(postgres, kafka)
    run = (await command.report(*TOLD))[0]["run"]["id"]
    await rebuild(postgres, kafka)
    assert (await command.report("--promote", run, "--json"))[0]["run"]["promoted"] == 1
    assert await pool.fetchval("SELECT category FROM decision") == "feedback"


async def test_the_event_says_who_and_outranks_what_stood_but_no_person(
    pool: Pool, projector: Projector, command: Command
) -> None:
    await projector.handle(facts_of([classified(native_id="p", text="other chatter abstained")]))
    run = (await command.report(*TOLD))[0]["run"]["id"]
    await command.run("--promote", run)
    row = await pool.fetchrow("SELECT value FROM outbox")
    assert row is not None
    event = classification.CategoryCorrected.FromString(row["value"])
    assert (event.corrected_by, event.was, event.corrected.classification.decision) == (
        MODEL,
        classification.CATEGORY_COMPLAINT,
        classification.DECISION_ABSTAINED,
    )
    await pool.execute("TRUNCATE inbox")
    await projector.handle(facts_of([classified(native_id="p", text="other chatter abstained")]))
    assert await pool.fetchval("SELECT model FROM decision") == MODEL
    async with serving(pool) as served:
        await correct(await served.caller(), name_of("p"))
    assert await pool.fetchval("SELECT decision FROM decision") == "corrected"


async def test_the_model_that_stands_changes_nothing_as_its_own_candidate(
    projector: Projector, command: Command
) -> None:
    texts = ["Where is my parcel?", "Pessimo servizio, tutto rotto!", "I love this lamp", "ok", "   ", "Danke schön"]
    events = [make_event(make_post_received(native_id=str(at), text=text)) for at, text in enumerate(texts)]
    await projector.handle(facts_of(classify_batch(Cascade.load(), events)))  # type: ignore[arg-type]
    told = await command.report("--model", "shipped", "--json", program=AS_SHIPPED)
    assert (told[-1]["total"]["posts"], told[-1]["total"]["differing"]) == (len(texts), 0)
    printed = await command.run("--model", "shipped", "--texts", program=AS_SHIPPED)
    assert "would change 0 posts" in " ".join(printed.split())


async def test_since_leaves_earlier_posts_out(pool: Pool, command: Command) -> None:
    members = crowd(200)
    await settle(pool, members)
    moment = await pool.fetchval("SELECT heard_at FROM decision ORDER BY heard_at DESC OFFSET 99 LIMIT 1")
    told = await command.report(*TOLD, "--since", moment.strftime("%Y-%m-%dT%H:%M:%SZ"))
    assert told[0]["run"]["judged"] == sum(member.judged for member in members[:100])


async def test_a_discarded_run_leaves_nothing_and_makes_room_for_the_next(pool: Pool, command: Command) -> None:
    members = crowd(300)
    await settle(pool, members)
    before = await snapshot(pool, members)
    run = (await command.report(*TOLD))[0]["run"]["id"]
    await command.run("--discard", run)
    assert await pool.fetchval("SELECT count(*) FROM reclassification_result") == 0
    assert (await command.report(*TOLD))[0]["run"]["id"] != run
    states = [row["state"] for row in await command.report("--list", "--json")]
    assert (states, await snapshot(pool, members)) == (["discarded", "done"], before)


async def test_another_candidate_waits_until_the_first_is_decided_about(pool: Pool, command: Command) -> None:
    await settle(pool, crowd(50))
    await command.report(*TOLD)
    assert "promote it or discard it first. [RUN_OPEN]" in await refusal(command, *TOLD, "--since", "2020-01-01")
    assert "`ascolto reclassify --list` shows them. [RUN_UNKNOWN]" in await refusal(command, "--promote", "zz")


async def test_two_processes_are_not_at_the_runs_of_one_tenant(pool: Pool, postgres: PostgresSettings) -> None:
    other = await connect(postgres, schema="routing", application_name="test")
    try:
        async with pool.acquire() as connection:
            assert await runs.claim(connection, "acme")
            assert [await runs.claim(other, tenant) for tenant in ("acme", "other")] == [False, True]
        # What is killed is gone: its session ends with it.
        other.terminate()
    finally:
        await other.close(timeout=5)


PROMOTE, DISCARD, AGAIN = "promote", "discard", "again"


@pytest.mark.parametrize(
    ("state", "act", "answer"),
    [
        ("running", PROMOTE, "RUN_NOT_DONE"),
        ("discarded", PROMOTE, "RUN_ENDED"),
        ("promoted", DISCARD, "RUN_ENDED"),
        ("promoting", DISCARD, "RUN_PROMOTING"),
        ("promoting", AGAIN, "RUN_PROMOTING"),
        ("running", DISCARD, "discarded"),
        ("discarded", DISCARD, "discarded"),
        ("promoted", PROMOTE, "promoted"),
        ("promoting", PROMOTE, "promoted"),
        ("done", AGAIN, "done"),
    ],
)
async def test_what_may_be_done_with_a_run_hangs_on_its_state(pool: Pool, state: str, act: str, answer: str) -> None:
    async with pool.acquire() as connection:
        begun = await begin_or_resume(connection, "acme", Wanted(MODEL))
        await pool.execute("UPDATE reclassification_run SET state = $1", state)
        run = await promoting.find(connection, "acme", str(begun.id)[:6])
        acts = {
            PROMOTE: lambda: promoting.promote(connection, run, WITHOUT_RULES, utc_now, on_page=lambda _: None),
            DISCARD: lambda: promoting.discard(connection, run),
            AGAIN: lambda: begin_or_resume(connection, "acme", Wanted(MODEL)),
        }
        try:
            told = (await acts[act]()).state.value
        except ReclassificationRefused as refused:
            told = refused.code
    assert told == answer


async def test_a_tenant_without_posts_is_named_and_no_run_begins(pool: Pool, command: Command) -> None:
    await settle(pool, crowd(20, tenant="other"))
    error = await refusal(command, *TOLD)
    assert "There are no posts of tenant acme: routing has posts of other; set ASCOLTO_TENANT." in error
    assert await pool.fetchval("SELECT count(*) FROM reclassification_run") == 0
    assert await command.run("--list") == "There are no runs of acme.\n"


@pytest.mark.parametrize("take_away", [edited(native_id="p", text="harmless"), deleted(native_id="p")])
@pytest.mark.parametrize("first", ["judged", "taken_away"])
async def test_the_words_of_a_text_that_is_gone_stand_in_no_result(
    pool: Pool, projector: Projector, take_away: Any, first: str
) -> None:
    await projector.handle(facts_of([classified(native_id="p", text="feedback praise assigned")]))
    async with pool.acquire() as connection:
        run = await begin_or_resume(connection, "acme", Wanted(MODEL))
    stood: list[Stood] = await candidates.page(pool, "acme", None, "", 10)
    if first == "taken_away":
        await projector.handle(facts_of([take_away]))
    async with transaction(pool) as connection:
        await candidates.keep(connection, run.id, judge(Told(), stood))
    if first == "judged":
        assert await pool.fetchval("SELECT payload FROM reclassification_result") is not None
        await projector.handle(facts_of([take_away]))
    row = await pool.fetchrow("SELECT differs, payload FROM reclassification_result")
    assert row is not None
    assert tuple(row.values()) == (True, None)


async def test_a_tenant_has_one_run_that_is_open(pool: Pool) -> None:
    """The index is what holds where a lock was lost."""
    insert = (
        "INSERT INTO reclassification_run (id, tenant, model, state, cursor, started_at) "
        "VALUES ($1, 'acme', 'models/b@1', $2, '', now()) ON CONFLICT DO NOTHING"
    )
    await pool.execute(insert, uuid4(), "done")
    assert await pool.execute(insert, uuid4(), "running") == "INSERT 0 0"
