"""How accounts stand that nobody fetches: one replica tells it, once, and a restart neither repeats nor forgets."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from datetime import datetime

import asyncpg
import pytest
from pydantic import SecretStr

from chassis.clock import utc_now
from chassis.postgres import PostgresSettings, open_pool
from contracts.integrations import Integration
from services.ingest.fetching.coverage import Expectation, Reason
from services.ingest.heartbeats import Heartbeats
from services.ingest.registry import Resting
from services.ingest.vigil import Charge, Vigil
from tests.integration.ingest.fetched import INTEGRATION, Told, eventually, fetching, listener
from tests.integration.ingest.polling import until
from tests.integration.ingest.test_fetching_runner import Counting

pytestmark = pytest.mark.integration
HOOK, WITNESS = "acme-tg", "acme-witness"
OFF = Reason.DISABLED


def hook(**settings: str) -> Integration:
    return Integration(
        id=HOOK, tenant="acme", kind="webhook", network="telegram", secrets=("plain:s",), settings=settings
    )


def witness() -> Integration:
    """Who becomes silent soon: once that is told, whatever was to be told of others has been."""
    return hook(silence_seconds="0.5").model_copy(update={"id": WITNESS})


def fetched() -> Integration:
    return Integration(id=INTEGRATION, tenant="acme", kind="poll", network="rss_atom")


def resting(integration: Integration, since: datetime | None = None) -> Charge:
    return Charge(integration, Resting(integration, OFF, since))


class Watched:
    """What is watched over; the test may change it."""

    def __init__(self, *charges: Charge) -> None:
        self.charges: Mapping[str, Charge] = {each.integration.id: each for each in charges}


@asynccontextmanager
async def vigil(dsn: str, watched: Watched, told: Told) -> AsyncIterator[Heartbeats]:
    """Keep it inside the block, as one replica would; leaving it is a crash."""
    settings = PostgresSettings(dsn=SecretStr(dsn))
    beats = Heartbeats(utc_now)
    one = Vigil(lambda: watched.charges, told, utc_now)
    async with open_pool(settings, schema="ingest", application_name="test") as pool:
        tasks = [
            asyncio.create_task(one.run(settings, schema="ingest", every_seconds=0.05)),
            asyncio.create_task(beats.run(pool, 0.05)),
        ]
        try:
            yield beats
        finally:
            for task in tasks:
                task.cancel()
                with suppress(asyncio.CancelledError):
                    await task


async def refused_often(beats: Heartbeats, told: Told) -> None:
    """Let deliveries be refused until it is told."""
    for _ in range(3):
        beats.refused(HOOK)
    await eventually(lambda: told.reasons()[-1:] == ["AUTH_FAILED"])


async def heard_after_silence(beats: Heartbeats, told: Told) -> None:
    """Wait until it is silent, and then deliver until it is heard."""
    await eventually(lambda: told.reasons() == ["SILENT"])

    def is_heard() -> bool:
        beats.verified(HOOK)  # again with each look: between a delivery and the next look it may be silent anew
        return told.reasons()[:2] == ["SILENT", None]

    await eventually(is_heard)


async def refused_then_disabled_then_enabled(dsn: str) -> Told:
    told, watched = Told(), Watched(Charge(hook()))
    async with vigil(dsn, watched, told) as beats:
        await refused_often(beats, told)
        watched.charges = {HOOK: resting(hook())}
        await eventually(lambda: told.reasons() == ["AUTH_FAILED", "DISABLED"])
        watched.charges = {HOOK: Charge(hook())}
        await eventually(lambda: told.reasons() == ["AUTH_FAILED", "DISABLED", None])
    return told


async def ended(dsn: str) -> bool:
    """End the session of the vigil; tells whether there was one."""
    connection = await asyncpg.connect(dsn)
    try:
        return bool(
            await connection.fetchval(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = 'ingest-vigil' AND datname = current_database()"
            )
        )
    finally:
        await connection.close()


async def test_repeated_bad_signatures_are_a_gap_until_a_delivery_is_good(migrated_dsn: str) -> None:
    told = Told()
    async with vigil(migrated_dsn, Watched(Charge(hook())), told) as beats:
        await refused_often(beats, told)
        beats.verified(HOOK)
        await eventually(lambda: told.reasons() == ["AUTH_FAILED", None])
    assert told.changes[-1].heard_at is not None


async def test_silence_is_a_gap_only_where_deliveries_are_expected(migrated_dsn: str) -> None:
    expected, not_expected = Told(), Told()
    async with vigil(migrated_dsn, Watched(Charge(hook(silence_seconds="0.5"))), expected) as beats:
        await heard_after_silence(beats, expected)
    async with vigil(migrated_dsn, Watched(Charge(hook()), Charge(witness())), not_expected):
        await eventually(lambda: not_expected.reasons_of(WITNESS) == ["SILENT"])
    assert not_expected.reasons_of(HOOK) == []


async def test_a_restart_neither_repeats_nor_forgets(migrated_dsn: str) -> None:
    first, second, third = Told(), Told(), Told()
    watched = Watched(Charge(hook()))
    async with vigil(migrated_dsn, watched, first) as beats:
        await refused_often(beats, first)
    async with vigil(migrated_dsn, Watched(Charge(hook()), Charge(witness())), second):
        await eventually(lambda: second.reasons_of(WITNESS) == ["SILENT"])
    async with vigil(migrated_dsn, watched, third) as beats:
        beats.verified(HOOK)
        await eventually(lambda: third.reasons() == [None])
    assert second.reasons_of(HOOK) == []


async def test_of_two_replicas_one_tells_whoever_was_delivered_to(migrated_dsn: str) -> None:
    told, watched = Told(), Watched(Charge(hook()))
    async with vigil(migrated_dsn, watched, told) as one, vigil(migrated_dsn, watched, told) as other:
        for replica in (one, other, one):
            replica.refused(HOOK)
        await eventually(lambda: bool(told.changes))
        other.verified(HOOK)
        await eventually(lambda: len(told.changes) > 1)
        await asyncio.sleep(0.3)
    assert told.reasons() == ["AUTH_FAILED", None]


async def test_who_is_disabled_is_told_so_and_hears_again_once_enabled(migrated_dsn: str) -> None:
    told, watched, since = Told(), Watched(Charge(hook(silence_seconds="3600"))), utc_now()
    async with vigil(migrated_dsn, watched, told):
        watched.charges = {HOOK: resting(hook(), since)}
        await eventually(lambda: told.reasons() == ["DISABLED"])
        watched.charges = {HOOK: Charge(hook(silence_seconds="3600"))}
        await eventually(lambda: told.reasons() == ["DISABLED", None])
    assert told.changes[0].now.since == since


async def test_what_was_refused_before_it_was_disabled_says_nothing_afterwards(migrated_dsn: str) -> None:
    told = await refused_then_disabled_then_enabled(migrated_dsn)
    assert told.reasons() == ["AUTH_FAILED", "DISABLED", None]


async def test_who_was_fetched_is_let_go_of_before_it_is_told_disabled(migrated_dsn: str) -> None:
    told, source, watched = Told(), Counting(3), Watched(resting(fetched()))
    async with fetching(migrated_dsn, listener(source, Expectation()), told=told) as running:
        await running.holds("1", "2", "3")
        async with vigil(migrated_dsn, watched, told):
            await asyncio.sleep(0.5)
            assert told.reasons() == []
            known = running.roster.pop(INTEGRATION)
            await eventually(lambda: told.reasons() == ["DISABLED"])
            watched.charges = {}
            running.roster[INTEGRATION] = known
            await eventually(lambda: told.reasons() == ["DISABLED", None])
    assert source.most_open == 1


async def test_it_goes_on_after_the_session_was_lost(migrated_dsn: str) -> None:
    told = Told()
    async with vigil(migrated_dsn, Watched(Charge(hook())), told) as beats:
        await until(lambda: ended(migrated_dsn))
        await refused_often(beats, told)
