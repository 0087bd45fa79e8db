"""What nobody could deliver is gone: once the account hears again, the time before stays a gap for good."""

from typing import Any

import pytest

from chassis.clock import utc_now
from contracts.integrations import Integration
from services.ingest.fetching.coverage import Expectation, Missed
from services.ingest.vigil import Charge
from tests.integration.ingest.fetched import INTEGRATION, Told, eventually, fetching, listener
from tests.integration.ingest.test_fetching_runner import Counting
from tests.integration.ingest.test_vigil import (
    HOOK,
    Watched,
    fetched,
    heard_after_silence,
    hook,
    refused_often,
    refused_then_disabled_then_enabled,
    resting,
    vigil,
)

pytestmark = pytest.mark.integration


def account(kind: Any) -> Integration:
    return Integration(id=HOOK, tenant="acme", kind=kind, network="web_chat")


async def switched_off_and_on(dsn: str, known: Integration) -> Told:
    told, watched = Told(), Watched(resting(known))
    async with vigil(dsn, watched, told):
        await eventually(lambda: told.reasons() == ["DISABLED"])
        watched.charges = {known.id: Charge(known)}
        await eventually(lambda: told.reasons() == ["DISABLED", None])
    return told


@pytest.mark.parametrize("known", [hook(), account("web_chat")], ids=lambda known: known.kind)
async def test_the_time_of_one_that_was_disabled_stays_a_gap(migrated_dsn: str, known: Integration) -> None:
    began = utc_now()
    told = await switched_off_and_on(migrated_dsn, known)
    (gap,) = told.gaps
    assert (gap.integration, gap.tenant, gap.reason) == (HOOK, "acme", Missed.TURNED_AWAY)
    assert gap.since == told.changes[0].now.since
    assert began <= gap.since < gap.until <= utc_now()


async def test_of_an_import_nothing_is_gone(migrated_dsn: str) -> None:
    told = await switched_off_and_on(migrated_dsn, account("import"))
    assert told.gaps == []


async def test_a_fetched_one_goes_on_where_it_was(migrated_dsn: str) -> None:
    told, watched = Told(), Watched(resting(fetched()))
    async with fetching(migrated_dsn, listener(Counting(3), Expectation()), told=told) as running:
        known = running.roster.pop(INTEGRATION)
        async with vigil(migrated_dsn, watched, told):
            await eventually(lambda: told.reasons() == ["DISABLED"])
            watched.charges = {}
            running.roster[INTEGRATION] = known
            await eventually(lambda: told.reasons() == ["DISABLED", None])
    assert told.gaps == []


async def test_the_time_of_bad_signatures_stays_a_gap(migrated_dsn: str) -> None:
    told, watched = Told(), Watched(Charge(hook()))
    async with vigil(migrated_dsn, watched, told) as beats:
        await refused_often(beats, told)
        beats.verified(HOOK)
        await eventually(lambda: told.reasons() == ["AUTH_FAILED", None])
    assert [(gap.since, gap.reason) for gap in told.gaps] == [(told.changes[0].now.since, Missed.TURNED_AWAY)]


async def test_gaps_of_several_reasons_follow_each_other_without_a_hole(migrated_dsn: str) -> None:
    told = await refused_then_disabled_then_enabled(migrated_dsn)
    refused, disabled = told.gaps
    assert refused.since == told.changes[0].now.since
    assert disabled.since == told.changes[1].now.since
    assert refused.since < disabled.since <= refused.until < disabled.until


async def test_silence_is_no_gap_that_stays(migrated_dsn: str) -> None:
    told = Told()
    async with vigil(migrated_dsn, Watched(Charge(hook(silence_seconds="0.5"))), told) as beats:
        await heard_after_silence(beats, told)
    assert told.gaps == []


async def test_a_restart_while_it_is_disabled_forgets_no_gap(migrated_dsn: str) -> None:
    before, after, again = Told(), Told(), Told()
    async with vigil(migrated_dsn, Watched(resting(hook())), before):
        await eventually(lambda: before.reasons() == ["DISABLED"])
    async with vigil(migrated_dsn, Watched(Charge(hook())), after):
        await eventually(lambda: after.reasons() == [None])
    async with vigil(migrated_dsn, Watched(Charge(hook())), again) as beats:
        await refused_often(beats, again)
    assert [gap.since for gap in (*before.gaps, *after.gaps, *again.gaps)] == [before.changes[0].now.since]
