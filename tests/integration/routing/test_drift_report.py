"""`ascolto classifier report` on the real store: what it counts, what people said, and what it leaves out."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from ascolto.classification.v1 import classification_pb2 as classification
from chassis.postgres import Pool
from cli.app import app
from cli.errors import CommandError
from services.routing.handlers import Projector
from tests.factories import NOW
from tests.integration.routing.records import (
    COMPLAINT,
    OTHER,
    QUESTION,
    RULE,
    classified,
    deleted,
    edited,
    facts_of,
    name_of,
    promoted,
    unsure,
)
from tests.integration.routing.serving import correct, serving

pytestmark = pytest.mark.integration
YESTERDAY = NOW - timedelta(days=1)
RANGE = ("--since", "2026-11-22", "--until", "2026-11-23")

Report = Callable[..., Awaitable[list[dict[str, Any]]]]


async def run(dsn: str, *arguments: str) -> Result:
    environment = {"POSTGRES_DSN": dsn, "ASCOLTO_TENANT": "acme"}
    return await asyncio.to_thread(CliRunner().invoke, app, ["classifier", "report", *arguments], env=environment)


@pytest.fixture
def report(migrated_dsn: str) -> Report:
    async def rows(*arguments: str) -> list[dict[str, Any]]:
        result = await run(migrated_dsn, "--json", *RANGE, *arguments)
        return [json.loads(line) for line in result.stdout.splitlines()]

    return rows


async def test_each_day_and_network_has_its_figures(projector: Projector, report: Report) -> None:
    days = [YESTERDAY, NOW, NOW]
    heard = [classified(native_id=f"c{number}", time=time) for number, time in enumerate(days)]
    await projector.handle(facts_of([*heard, unsure(native_id="u"), classified(QUESTION, network="threads")]))
    [threads, x] = await report()
    assert (x["day"], x["network"], x["posts"], x["posts_before"]) == ("2026-11-22", "x", 3, 1)
    assert (x["coverage"], x["shares"]["complaint"]) == (pytest.approx(2 / 3, abs=1e-3), pytest.approx(2 / 3, abs=1e-3))
    assert x["mean_confidence"] == pytest.approx(0.91, abs=1e-3)
    assert (threads["network"], threads["coverage"], threads["labels"]) == ("threads", 1, 0)


async def test_what_no_model_judged_and_what_is_gone_does_not_count(projector: Projector, report: Report) -> None:
    gone = [classified(native_id="gone"), deleted(native_id="gone", time=NOW + timedelta(minutes=1))]
    await projector.handle(facts_of([*gone, classified(OTHER, RULE, own=True), classified(tenant="other")]))
    assert await report() == []
    assert [row["posts"] for row in await report("--all-tenants")] == [1]


async def test_people_tell_how_right_it_was(pool: Pool, projector: Projector, report: Report) -> None:
    judged = [unsure(native_id="p0"), *(classified(COMPLAINT, native_id=f"p{number}") for number in (1, 2, 3))]
    await projector.handle(facts_of([*judged, edited(native_id="p1"), promoted(OTHER, native_id="p2")]))
    async with serving(pool) as served:
        for native_id, category in [("p0", OTHER), ("p1", COMPLAINT), ("p2", COMPLAINT)]:
            await correct(await served.caller(), name_of(native_id), category)
    [row] = await report("--by", "language")
    assert (row["language"], row["posts"], row["labels"]) == ("en", 4, 3)
    assert row["accuracy"] == pytest.approx(2 / 3)
    assert row["coverage"] == 0.75


async def test_what_a_language_model_decided_is_counted_and_in_no_confidence(
    pool: Pool, projector: Projector, report: Report, migrated_dsn: str
) -> None:
    asked = [classified(native_id=f"m{number}", stage=classification.STAGE_LANGUAGE_MODEL) for number in range(3)]
    await projector.handle(facts_of([classified(native_id="c"), *asked]))
    async with serving(pool) as served:
        await correct(await served.caller(), name_of("m0"), OTHER)
        await correct(await served.caller(), name_of("c"), COMPLAINT)
    [row] = await report("--by", "network")
    assert (row["posts"], row["by_language_model"], row["coverage"]) == (4, 3, 1)
    assert (row["mean_confidence"], row["labels"], row["accuracy"]) == (pytest.approx(0.91, abs=1e-3), 1, 1)
    assert "A language model decided 3 of these posts" in " ".join((await run(migrated_dsn, *RANGE)).stdout.split())


async def test_what_moved_is_warned_of(migrated_dsn: str, projector: Projector) -> None:
    before = [classified(native_id=f"b{number}", time=YESTERDAY) for number in range(200)]
    now = [unsure(native_id=f"n{number}") for number in range(200)]
    await projector.handle(facts_of([*before, *now]))
    result = await run(migrated_dsn, *RANGE)
    assert result.exit_code == 0
    assert "moved: 2026-11-22 x: coverage went from 100% to 0%" in " ".join(result.stdout.split())


async def test_a_range_that_ends_before_it_begins_is_refused(migrated_dsn: str) -> None:
    result = await run(migrated_dsn, "--since", "2026-11-23", "--until", "2026-11-22")
    assert isinstance(result.exception, CommandError)


@pytest.mark.parametrize("words", [("--since", "0001-01-03"), ("--until", "0001-01-03"), ("--until", "9999-12-31")])
async def test_days_that_cannot_be_are_refused_with_those_that_can(migrated_dsn: str, words: tuple[str, str]) -> None:
    told = str((await run(migrated_dsn, *words)).exception)
    assert f"{words[0]} {words[1]}: give a day from 2000-01-01 to 2100-01-01." in told


async def test_a_tenant_without_posts_is_named_beside_those_that_have_some(
    migrated_dsn: str, projector: Projector
) -> None:
    none = await run(migrated_dsn, *RANGE)
    assert "There are no posts of tenant acme: routing has no posts at all." in none.stderr
    posts = [classified(tenant=tenant, native_id=str(number)) for tenant in ("beta", "gamma") for number in range(3)]
    await projector.handle(facts_of(posts))
    others = await run(migrated_dsn, *RANGE, "--json")
    assert "no posts of tenant acme: routing has posts of beta, gamma; set ASCOLTO_TENANT." in others.stderr
    assert (others.stdout, others.exit_code) == ("", 0)


@pytest.mark.parametrize(
    ("dsn", "told"),
    [("postgresql://127.0.0.1:1/none", "store of routing cannot be reached"), ("none", "is no PostgreSQL URL")],
)
async def test_a_store_that_cannot_be_had_is_named(dsn: str, told: str) -> None:
    assert told in str((await run(dsn)).exception)
