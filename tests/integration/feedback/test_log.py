"""The log as SQL reads it: the same filter as in memory, and pages that end where they should."""

from datetime import UTC, datetime
from itertools import product
from uuid import UUID

import pytest

from chassis.postgres import Pool, transaction
from services.feedback.filters import Filter
from services.feedback.projection import Insight
from services.feedback.store.folding import learn
from services.feedback.store.log import log_state, read_log
from services.feedback.store.rebuilding import begin_anew

pytestmark = pytest.mark.integration
NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
INSIGHTS = [
    Insight("acme", UUID(int=number), NOON, None, *dimensions, b"payload")
    for number, dimensions in enumerate(
        product(
            (None, "x", "y"),
            (None, "question"),
            (None, "complaint"),
            (None, "en"),
            (None, "it"),
            (None, True),
            (None, False),
        )
    )
]
FILTERS = [
    Filter(categories, networks, languages, triage)
    for categories, networks, languages, triage in product(
        (None, ("question",), ("complaint", "other")),
        (None, ("x",)),
        (None, ("en", "fr"), ("it",)),
        (None, True, False),
    )
]


async def test_sql_and_memory_filter_alike(pool: Pool) -> None:
    async with transaction(pool) as connection:
        await learn(connection, INSIGHTS)
    head = (await log_state(pool)).head
    for narrowed in FILTERS:
        found = await read_log(pool, "acme", narrowed, 0, head, limit=1_000)
        assert [entry.insight for entry in found] == [each for each in INSIGHTS if narrowed.passes(each)]


async def test_a_page_is_exclusive_below_and_inclusive_above(pool: Pool) -> None:
    async with transaction(pool) as connection:
        await learn(connection, INSIGHTS[:10])
    first = (await log_state(pool)).head - 9
    found = await read_log(pool, "acme", Filter(), first, first + 5, limit=3)
    assert [entry.seq for entry in found] == [first + 1, first + 2, first + 3]


async def test_an_event_stands_in_the_log_once(pool: Pool) -> None:
    async with transaction(pool) as connection:
        await learn(connection, INSIGHTS[:3])
        await learn(connection, INSIGHTS[:4])
    assert await pool.fetchval("SELECT count(*) FROM insight") == 4


async def test_an_empty_log_ends_at_nothing(pool: Pool) -> None:
    state = await log_state(pool)
    assert (state.epoch, state.head, state.complete_through) == (1, 0, None)


async def test_an_epoch_is_never_handed_out_again_after_a_backup_was_restored(pool: Pool) -> None:
    began = int((await pool.fetchval("SELECT clock_timestamp()")).timestamp())
    async with transaction(pool) as connection:
        first = await begin_anew(connection)
    await pool.execute("UPDATE insight_log SET epoch = 1")  # the backup was of before the rebuild
    async with transaction(pool) as connection:
        second = await begin_anew(connection)
        third = await begin_anew(connection)
    assert began <= first <= second < third
