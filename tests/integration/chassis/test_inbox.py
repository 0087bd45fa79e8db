"""The inbox on the real PostgreSQL: an event counts once per consumer, whoever else claims it."""

import asyncio
from uuid import UUID, uuid4

import pytest

from chassis.inbox import InboxSettings, claim, keep_pruned, prune
from chassis.postgres import Pool, transaction
from tests.integration.chassis.outboxes import until

pytestmark = pytest.mark.integration


async def _claim(pool: Pool, consumer: str, event_ids: list[UUID]) -> set[UUID]:
    async with transaction(pool) as connection:
        return await claim(connection, consumer, event_ids)


async def test_only_what_is_new_is_answered(pool: Pool) -> None:
    old, new = uuid4(), uuid4()
    await _claim(pool, "consumer", [old])

    assert await _claim(pool, "consumer", [old, new, new]) == {new}


async def test_consumers_do_not_share_what_they_have_seen(pool: Pool) -> None:
    event_id = uuid4()
    await _claim(pool, "one", [event_id])

    assert await _claim(pool, "two", [event_id]) == {event_id}


async def test_a_claim_that_rolls_back_was_none(pool: Pool) -> None:
    event_id = uuid4()
    with pytest.raises(LookupError):  # noqa: PT012 - leaving the block is tested too
        async with transaction(pool) as connection:
            await claim(connection, "consumer", [event_id])
            raise LookupError

    assert await _claim(pool, "consumer", [event_id]) == {event_id}


async def test_of_many_who_claim_at_once_each_event_goes_to_one(pool: Pool) -> None:
    event_ids = [uuid4() for _ in range(3000)]
    shuffled = [event_ids[start:] + event_ids[:start] for start in range(0, 3000, 500)]

    claims = await asyncio.gather(*(_claim(pool, "consumer", order) for order in shuffled))
    assert sorted(event_id for claimed in claims for event_id in claimed) == sorted(event_ids)


async def test_pruning_forgets_what_is_old_and_nothing_else(pool: Pool) -> None:
    young = uuid4()
    await _claim(pool, "consumer", [uuid4(), uuid4()])
    await pool.execute("UPDATE inbox SET received_at = now() - interval '8 days'")
    await _claim(pool, "consumer", [young])

    async with pool.acquire() as connection:
        assert await prune(connection, older_than_days=7) == 2
    assert [row["event_id"] for row in await pool.fetch("SELECT event_id FROM inbox")] == [young]


async def test_old_events_are_forgotten_in_the_background(pool: Pool) -> None:
    settings = InboxSettings.model_validate({"retention_days": 7, "prune_every_seconds": 0.05})
    task = asyncio.create_task(keep_pruned(pool, settings))
    for _ in range(2):
        await _claim(pool, "consumer", [uuid4()])
        await pool.execute("UPDATE inbox SET received_at = now() - interval '8 days'")
        await until(lambda: _is_forgotten(pool))
    task.cancel()


async def _is_forgotten(pool: Pool) -> bool:
    return bool(await pool.fetchval("SELECT count(*) = 0 FROM inbox"))
