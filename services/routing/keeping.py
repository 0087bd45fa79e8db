"""The rules in force outlive the process: kept in PostgreSQL, and taken from there where a file is bad at the start."""

import asyncio
from collections.abc import Mapping

import asyncpg
import structlog

from chassis.postgres import POSTGRES_UNAVAILABLE, Pool, transaction
from services.routing.rules.book import RuleBook
from services.routing.store.rules import forget_others, keep_rules, kept_rules

Counting = Mapping[str, bytes | None]
_log = structlog.get_logger(__name__)


async def restore(pool: Pool, book: RuleBook) -> None:
    """Give the tenants whose file is bad the rules that counted for them last."""
    wanting = book.wanting()
    book.restore(await kept_rules(pool, wanting) if wanting else {})


async def keep(pool: Pool, book: RuleBook, every_seconds: float) -> None:
    """Write down what counts whenever that has changed, until cancelled; PostgreSQL that is away is tried again."""
    kept: Counting | None = None
    awaited = False
    while True:
        try:
            kept, awaited = await _kept_now(pool, book.counting(), kept), False
        except (*POSTGRES_UNAVAILABLE, asyncpg.PostgresError) as error:
            if not awaited:
                _log.warning("rules_not_kept", error_class=type(error).__name__)
            awaited = True
        await asyncio.sleep(every_seconds)


async def _kept_now(pool: Pool, counting: Counting, kept: Counting | None) -> Counting:
    """Write what differs from `kept`; where that is not known, everything.

    What is kept of a tenant with a bad file and no rules stays: another version may be able to read it.
    """
    if counting != kept:
        before = kept or {}
        changed = {tenant: content for tenant, content in counting.items() if content and content != before.get(tenant)}
        async with transaction(pool) as connection:
            await forget_others(connection, counting)
            await keep_rules(connection, changed)
    return counting
