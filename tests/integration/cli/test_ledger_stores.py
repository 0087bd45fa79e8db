"""The ledger's questions to the stores can answer yes: each kind of doubling is planted and must be seen."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import uuid4

import asyncpg
import pytest

from cli.ledger.stores import read_accepted, read_effects

pytestmark = pytest.mark.integration
FIRST, SECOND = "tenants/acme/posts/1", "tenants/acme/posts/2"
REPLY = """
insert into responder.reply values ($1, 'acme', 'c', 'e', $2, 'i', 'x', 'CHAT', 't', 'p', $3, 'text', '\\x00', 'en', 1,
  '[]', 'd', 1, '[]', null, 0, null, null, now(), now(), nextval('responder.reply_change'), null, now())
"""
POST = """
insert into responder.post (event_id, tenant, conversation, post, revision, edited, deleted, own, author, native_id,
  said_at, learned_at, call, category, text_sha256, message, outcome, is_current, closed,
  authority, decided_at, classified_by)
values ($1, 'acme', 'c', $2, $3, false, false, false, 'a', 'n', now(), now(), 'answer', 1, '\\x00', '\\x00', 'drafted',
  true, false, 'model', now(), $1)
"""


@pytest.fixture
async def connection(migrated_dsn: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(migrated_dsn)
    yield connection
    await connection.close()


async def _answered(connection: asyncpg.Connection, *states: str, versions: int = 1) -> int:
    for revision in range(1, versions + 1):
        await connection.execute(POST, uuid4(), FIRST, revision)
    for state in states:
        await connection.execute(REPLY, uuid4(), [FIRST], state)
    return (await read_effects(connection)).doubled["posts_answered_twice"]


async def test_empty_stores_have_doubled_nothing(connection: asyncpg.Connection) -> None:
    effects = await read_effects(connection)
    assert set(effects.doubled.values()) == {0}


async def test_two_answers_alive_to_one_post_are_seen(connection: asyncpg.Connection) -> None:
    assert await _answered(connection, "SENT", "PENDING") == 1


async def test_an_answer_that_took_the_place_of_a_stale_one_is_no_second(connection: asyncpg.Connection) -> None:
    assert await _answered(connection, "STALE", "REJECTED", "SENT") == 0


async def test_an_edited_post_may_be_answered_again(connection: asyncpg.Connection) -> None:
    assert await _answered(connection, "SENT", "PENDING", versions=2) == 0


async def test_a_count_that_is_not_the_number_of_posts_is_seen(connection: asyncpg.Connection) -> None:
    cell = "('acme', date_trunc('hour', now(), 'UTC'), 'question', 'x', 'en', false, 2)"
    await connection.execute(f"insert into feedback.volume values {cell}")  # noqa: S608 - a literal
    assert (await read_effects(connection)).doubled["posts_miscounted"] == 2


async def test_what_was_accepted_is_bounded_by_time_and_tenant(connection: asyncpg.Connection) -> None:
    insert = """insert into ingest.post values ($1, $2, $3, 'i', 'c', 'x', 'created', 1, null, $4)"""
    noon = datetime(2026, 11, 1, 12, tzinfo=UTC)
    wanted = uuid4()
    for event, tenant, at in [
        (wanted, "acme", noon),
        (uuid4(), "other", noon),
        (uuid4(), "acme", noon.replace(hour=13)),
    ]:
        await connection.execute(insert, event, uuid4(), tenant, at)
    accepted = await read_accepted(connection, noon, noon.replace(hour=13), "acme")
    assert accepted.events == {str(wanted)}
