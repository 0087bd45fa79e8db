"""Heartbeats in the database: what several replicas write down is one account's, whatever the order."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest
from pydantic import SecretStr

from chassis.postgres import Pool, PostgresSettings, open_pool
from services.ingest.heartbeats import Beat, Heartbeats, heartbeats
from tests.integration.ingest.wire import Wire

pytestmark = pytest.mark.integration
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


class Watches:
    """A clock that stands where it is set."""

    now = NOON

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
async def pool(postgres_wire: Wire) -> AsyncIterator[Pool]:
    settings = PostgresSettings(dsn=SecretStr(postgres_wire.dsn), acquire_timeout_seconds=10.0)
    async with open_pool(settings, schema="ingest", application_name="test") as pool:
        yield pool


def at(seconds: int) -> datetime:
    return NOON + timedelta(seconds=seconds)


async def test_the_refusals_of_replicas_add_up_until_one_of_them_is_delivered_to(pool: Pool) -> None:
    clock = Watches()
    replicas = [Heartbeats(clock), Heartbeats(clock)]
    for second, replica in enumerate(replicas * 2):
        clock.now = at(second)
        replica.refused("acme-tg")
        await replica.flush(pool)
    assert await heartbeats(pool) == {"acme-tg": Beat(None, 4, at(0), at(3))}
    clock.now = at(4)
    replicas[0].verified("acme-tg")
    await replicas[0].flush(pool)
    assert await heartbeats(pool) == {"acme-tg": Beat(at(4))}


async def test_what_was_refused_before_the_last_delivery_is_not_told_after_it(pool: Pool) -> None:
    clock = Watches()
    slow, quick = Heartbeats(clock), Heartbeats(clock)
    slow.refused("acme-tg")
    clock.now = at(1)
    quick.verified("acme-tg")
    await quick.flush(pool)
    await slow.flush(pool)
    assert await heartbeats(pool) == {"acme-tg": Beat(at(1))}


async def test_what_cannot_be_written_down_is_noted_on(pool: Pool, postgres_wire: Wire) -> None:
    clock, beats = Watches(), None
    beats = Heartbeats(clock)
    beats.refused("acme-tg")
    beats.verified("acme-x")
    postgres_wire.cut()
    await beats.flush(pool)
    beats.refused("acme-tg")
    await postgres_wire.mend()
    await beats.flush(pool)
    assert await heartbeats(pool) == {"acme-tg": Beat(None, 2, at(0), at(0)), "acme-x": Beat(at(0))}
