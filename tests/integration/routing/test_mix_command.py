"""`ascolto classifier mix` on the real store: which posts it learns from."""

import asyncio
import json
from datetime import timedelta

import pytest
from typer.testing import CliRunner, Result

from chassis.clock import utc_now
from chassis.postgres import Pool
from cli.app import app
from cli.errors import CommandError
from services.routing.handlers import Projector
from services.routing.store.mixes import latest_posts
from tests.integration.routing.records import COMPLAINT, OTHER, RULE, classified, corrected, deleted, facts_of

pytestmark = pytest.mark.integration
NOW = utc_now()


async def mix(dsn: str, *arguments: str) -> Result:
    environment = {"POSTGRES_DSN": dsn, "ASCOLTO_TENANT": "acme"}
    return await asyncio.to_thread(CliRunner().invoke, app, ["classifier", "mix", *arguments], env=environment)


async def test_it_learns_from_what_was_heard_of_each_network(projector: Projector, migrated_dsn: str) -> None:
    angry = [
        classified(native_id=f"p{number}", text=f"{number} days without a parcel, a disgrace", time=NOW)
        for number in range(210)
    ]
    await projector.handle(facts_of([*angry, classified(native_id="t", network="threads", text="hello", time=NOW)]))
    result = await mix(migrated_dsn, "--json")
    found = {row["network"]: row for row in map(json.loads, result.stdout.splitlines())}
    assert (found["x"]["posts"], found["x"]["venue"], found["threads"]["mix"]) == (210, "microblog", None)
    assert found["x"]["mix"]["complaint"] > 0.5


async def test_old_posts_and_those_of_others_teach_nothing(projector: Projector, migrated_dsn: str) -> None:
    told = [
        classified(native_id="now", text="hello", time=NOW),
        classified(native_id="old", text="hello", time=NOW - timedelta(days=30)),
        classified(native_id="theirs", text="hello", tenant="rival", time=NOW),
        classified(OTHER, RULE, native_id="own", own=True, time=NOW),
        deleted(native_id="gone", time=NOW),
    ]
    await projector.handle(facts_of(told))
    posts = [json.loads((await mix(migrated_dsn, "--json", *days)).stdout)["posts"] for days in ((), ("--days", "60"))]
    assert posts == [1, 2]


async def test_the_latest_posts_of_each_network_are_read_whoever_decided(pool: Pool, projector: Projector) -> None:
    ages = [timedelta(minutes=minutes) for minutes in (3, 1, 2)]
    told = [
        classified(COMPLAINT, native_id=f"{network}{number}", network=network, time=NOW - age)
        for network in ("x", "threads")
        for number, age in enumerate(ages)
    ]
    await projector.handle(facts_of([*told, corrected(native_id="x1", time=NOW)]))
    found = [post.native_id async for post in latest_posts(pool, "acme", NOW - timedelta(hours=1), 2)]
    assert sorted(found) == ["threads1", "threads2", "x1", "x2"]


async def test_a_tenant_without_posts_is_told_so(migrated_dsn: str) -> None:
    result = await mix(migrated_dsn)
    assert isinstance(result.exception, CommandError)
    assert "acme" in str(result.exception)


async def test_what_needs_no_model_teaches_nothing_also_where_a_person_labelled_it(
    projector: Projector, migrated_dsn: str
) -> None:
    told = [
        corrected(native_id="own", own=True, text="hello", time=NOW),
        corrected(native_id="media", text="", time=NOW),
        corrected(native_id="text", text="hello", time=NOW),
    ]
    await projector.handle(facts_of(told))
    assert json.loads((await mix(migrated_dsn, "--json")).stdout)["posts"] == 1


async def test_a_tenant_that_was_silent_is_told_so(projector: Projector, migrated_dsn: str) -> None:
    await projector.handle(facts_of([classified(text="hello", time=NOW - timedelta(days=30))]))
    result = await mix(migrated_dsn)
    assert isinstance(result.exception, CommandError)
    assert "no post in 28 days" in str(result.exception)
