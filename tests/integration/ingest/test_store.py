"""Two writers that keep the same posts at the same time."""

import asyncio
from datetime import UTC, datetime

import pytest
from pydantic import SecretStr

from ascolto.posts.v1.post_pb2 import PostReceived
from chassis.postgres import Pool, PostgresSettings, open_pool
from contracts.identity import last_segment
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


def entry(native_id: str, **fields: object) -> Entry:
    author = None if fields.get("change") == "deleted" else RawAuthor(id="u1")
    given = {
        "network": "x",
        "kind": "public_comment",
        "native_id": native_id,
        "text": "Why?",
        "author": author,
        **fields,
    }
    accepted = NORMALIZER.normalize(RawPost(**given), received_at=NOW)  # type: ignore[arg-type]
    assert isinstance(accepted, Accepted), accepted
    return entry_of(accepted)


async def conversations(pool: Pool) -> dict[str, str]:
    """The conversation of every record in the outbox, by the native id of its post."""
    rows = await pool.fetch("SELECT key, value FROM outbox ORDER BY id")
    posts = [PostReceived.FromString(row["value"]).post for row in rows]
    assert [row["key"].decode() for row in rows] == [last_segment(post.conversation) for post in posts]
    return {post.native_id: post.conversation for post in posts}


async def test_replies_to_replies_and_a_bare_deletion_stay_in_their_conversation(migrated_dsn: str) -> None:
    settings = PostgresSettings(dsn=SecretStr(migrated_dsn))
    async with open_pool(settings, schema="ingest", application_name="test") as pool:
        await keep(pool, [entry("root"), entry("reply", native_parent_id="root")])
        await keep(pool, [entry("nested", native_parent_id="reply"), entry("deeper", native_parent_id="nested")])
        await keep(pool, [entry("deeper", change="deleted", text=None)])
        await keep(pool, [entry("stranger", change="deleted", text=None)])
        found = await conversations(pool)
    assert len({found[name] for name in ("root", "reply", "nested", "deeper")}) == 1
    assert found["stranger"] != found["root"]


async def test_an_edit_stays_with_its_post_though_the_parent_became_known(migrated_dsn: str) -> None:
    settings = PostgresSettings(dsn=SecretStr(migrated_dsn))
    async with open_pool(settings, schema="ingest", application_name="test") as pool:
        await keep(pool, [entry("orphan", native_parent_id="parent")])
        before = (await conversations(pool))["orphan"]
        await keep(pool, [entry("parent", native_thread_id="elsewhere")])
        await keep(pool, [entry("orphan", native_parent_id="parent", change="edited", revision=2)])
        assert (await conversations(pool))["orphan"] == before


async def test_a_thread_that_is_told_is_believed(migrated_dsn: str) -> None:
    settings = PostgresSettings(dsn=SecretStr(migrated_dsn))
    async with open_pool(settings, schema="ingest", application_name="test") as pool:
        await keep(pool, [entry("root"), entry("moved", native_parent_id="root", native_thread_id="elsewhere")])
        found = await conversations(pool)
    assert found["root"] != found["moved"]
