"""A promotion goes out through the relay of routing, once, and no faster than that takes it."""

from pathlib import Path

import pytest

from chassis.kafka import KafkaSettings, read_range
from chassis.postgres import Pool, PostgresSettings
from contracts.codec import decode
from contracts.topics import CORRECTIONS
from services.routing.reclassification.promoting import MOST_WAITING, relay_keeping_up
from services.routing.reclassification.refusals import ReclassificationRefused
from tests.integration.routing.commands import (
    TOLD,
    Command,
    beyond,
    emitted,
    until,
)
from tests.integration.routing.crowd import crowd, settle
from tests.integration.routing.processes import move_groups, process

pytestmark = pytest.mark.integration


@pytest.fixture
def command(migrated_dsn: str, tmp_path: Path) -> Command:
    return Command(migrated_dsn, tmp_path)


async def all_published(pool: Pool) -> bool:
    return not await emitted(pool)


async def test_a_promotion_goes_out_through_the_relay_once(
    pool: Pool, postgres: PostgresSettings, topics: str, command: Command
) -> None:
    kafka = KafkaSettings.model_validate({"bootstrap_servers": topics})
    await move_groups(kafka, to_end=True)
    members = crowd(900, differing=0.9)
    await settle(pool, members)
    run = (await command.report(*TOLD))[0]["run"]["id"]
    async with process(postgres, kafka):
        await command.killed("--promote", run, when=beyond(pool, "promoted", 0))
        await command.run("--promote", run)
        await until(lambda: all_published(pool))
    events = [decode(record) async for record in read_range(kafka, CORRECTIONS.name)]
    assert len({event.metadata.event_id for event in events}) == len(events)
    assert sorted(event.metadata.subject for event in events) == sorted(
        member.name for member in members if member.differs
    )


async def test_a_promotion_does_not_run_away_from_a_relay_that_stands(pool: Pool) -> None:
    fill = (
        "INSERT INTO outbox (shard, topic, key, value, headers) SELECT 0, 't', '', '', '{}' FROM generate_series(1, $1)"
    )
    await pool.execute(fill, MOST_WAITING - 1)
    async with pool.acquire() as connection:
        await relay_keeping_up(connection, patience_seconds=0)
        await pool.execute(fill, 1)
        with pytest.raises(ReclassificationRefused, match="RELAY_STOPPED"):
            await relay_keeping_up(connection, patience_seconds=0.3)
