"""Two writers that keep the same posts at the same time."""

import asyncio
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from chassis.postgres import PostgresSettings, open_pool
from contracts.integrations import Integration
from services.ingest.normalizer import Accepted, Normalizer
from services.ingest.rawpost import RawAuthor, RawPost
from services.ingest.store import Entry, entry_of, keep

pytestmark = pytest.mark.integration
NORMALIZER = Normalizer(Integration(id="acme-import", tenant="acme", kind="import"), b"k" * 32)
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def entries(numbers: range) -> list[Entry]:
    found = []
    for number in numbers:
        author = RawAuthor(id="u1")
        raw = RawPost(network="x", kind="public_post", native_id=str(number), author=author, text="Why?")
        accepted = NORMALIZER.normalize(raw, received_at=NOW)
        assert isinstance(accepted, Accepted)
        found.append(entry_of(accepted))
    return found


async def test_each_post_is_kept_by_one_writer_and_promised_once(migrated_dsn: str) -> None:
    settings = PostgresSettings(dsn=SecretStr(migrated_dsn))
    async with (
        open_pool(settings, schema="ingest", application_name="one") as one,
        open_pool(settings, schema="ingest", application_name="two") as two,
    ):
        batches = [entries(range(200)), entries(range(199, -1, -1)), entries(range(100, 300))]
        fresh = await asyncio.gather(*(keep(pool, batch) for batch in batches for pool in (one, two)))
        assert sum(len(each) for each in fresh) == len(set().union(*fresh)) == 300
        assert await one.fetchval("SELECT count(*) FROM outbox") == 300


async def test_nothing_is_kept_where_nothing_can_be_promised(migrated_dsn: str) -> None:
    settings = PostgresSettings(dsn=SecretStr(migrated_dsn))
    async with open_pool(settings, schema="ingest", application_name="test") as pool:
        (entry,) = entries(range(1))
        broken = entry._replace(outgoing=None)  # type: ignore[arg-type] # a defect, on purpose
        with pytest.raises(AttributeError):
            await keep(pool, [broken])
        assert await pool.fetchval("SELECT count(*) FROM post") == 0
