"""A running service is present: whatever becomes of its session, it takes the lock again."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import asyncpg
import pytest

from chassis.postgres import PostgresSettings, Session
from contracts.topics import FEEDBACK
from services.feedback.presence import present
from services.feedback.store.locks import claim_presence
from tests.integration.feedback.test_service import until

pytestmark = pytest.mark.integration
CLAIM = "services.feedback.presence.claim_presence"
_END = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE application_name = 'feedback-presence' AND datname = current_database()"""
_HELD = """
SELECT EXISTS (
    SELECT FROM pg_locks WHERE pg_locks.pid = pg_stat_activity.pid AND locktype = 'advisory' AND granted
) AS held
FROM pg_stat_activity WHERE application_name = 'feedback-presence' AND datname = current_database()"""


@asynccontextmanager
async def kept(postgres: PostgresSettings) -> AsyncIterator[None]:
    async with present(postgres, schema=FEEDBACK) as presence:
        keeping = asyncio.create_task(presence.keep())
        try:
            yield
        finally:
            keeping.cancel()
            with suppress(asyncio.CancelledError):
                await keeping


@pytest.fixture
async def watcher(migrated_dsn: str) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(migrated_dsn)
    yield connection
    await connection.close()


async def end_all(watcher: asyncpg.Connection) -> None:
    await watcher.execute(_END)


async def held_by_one_session(watcher: asyncpg.Connection) -> bool:
    """Whether the lock is held, and no session hangs about without it."""
    held = await watcher.fetch(_HELD)
    return [row["held"] for row in held] == [True]


@pytest.mark.parametrize("error", [asyncpg.InterfaceError("closed"), asyncpg.QueryCanceledError("too slow")])
async def test_a_claim_that_breaks_off_is_made_again_and_leaves_no_session(
    postgres: PostgresSettings, watcher: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    failures = [error]

    async def claim(session: Session) -> bool:
        if failures:
            raise failures.pop()
        return await claim_presence(session)

    async def claimed_again() -> bool:
        return not failures and await held_by_one_session(watcher)

    async with kept(postgres):
        monkeypatch.setattr(CLAIM, claim)
        await end_all(watcher)
        await until(claimed_again, timeout_seconds=20)


async def test_a_session_that_ends_before_anybody_listens_is_missed(
    postgres: PostgresSettings, watcher: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = list[bool]()

    async def claim(session: Session) -> bool:
        answers.append(await claim_presence(session))
        if len(answers) == 1:
            await end_all(watcher)
            while not session.is_closed():  # noqa: ASYNC110 - the server tells nobody
                await asyncio.sleep(0.01)
        return answers[-1]

    async def claimed_again() -> bool:
        return len(answers) > 1 and await held_by_one_session(watcher)

    monkeypatch.setattr(CLAIM, claim)
    async with kept(postgres):
        await until(claimed_again, timeout_seconds=20)
