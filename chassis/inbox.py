"""The idempotent receiver: an event that a consumer has handled before is recognised and left alone."""

import asyncio
import random
from collections.abc import Iterable
from uuid import UUID

import structlog
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from chassis.postgres import POSTGRES_UNAVAILABLE, Connection, Pool

_PRUNE_ROWS = 10_000
_log = structlog.get_logger(__name__)


class InboxSettings(BaseSettings):
    """How long handled events are remembered."""

    model_config = SettingsConfigDict(env_prefix="INBOX_", frozen=True)

    retention_days: int | None = Field(
        default=None,
        ge=1,
        description="how many days handled events are remembered, more than any topic keeps them, such as 400; "
        "left out: for ever, as topics that keep their records for ever need it",
    )
    prune_every_seconds: float = Field(
        default=3600.0, gt=0, description="how often older ones are forgotten, such as 3600"
    )


async def claim(connection: Connection, consumer: str, event_ids: Iterable[UUID]) -> set[UUID]:
    """Answer which of the events `consumer` sees for the first time, and remember them.

    Call it in the transaction of the effect: both commit or neither does. An event that another transaction
    is claiming at this moment is waited for. An event that stands twice in `event_ids` is answered once: the
    set says which events to handle, not which records.
    """
    rows = await connection.fetch(
        "INSERT INTO inbox (consumer, event_id) SELECT $1, unnest($2::uuid[]) "
        "ON CONFLICT DO NOTHING RETURNING event_id",
        consumer,
        # Sorted: transactions that claim the same events in differing orders would deadlock.
        sorted(set(event_ids)),
    )
    return {row["event_id"] for row in rows}


async def prune(connection: Connection, older_than_days: int) -> int:
    """Forget up to 10,000 of the events handled more than `older_than_days` ago; answer how many."""
    tag = await connection.execute(
        "DELETE FROM inbox WHERE ctid = ANY (ARRAY("
        "SELECT ctid FROM inbox WHERE received_at < now() - make_interval(days => $1) LIMIT $2))",
        older_than_days,
        _PRUNE_ROWS,
    )
    return int(tag.split()[-1])


async def keep_pruned(pool: Pool, settings: InboxSettings) -> None:
    """Forget old events now and every hour, until cancelled; return at once where they are kept for ever."""
    if settings.retention_days is None:
        return
    while True:
        try:
            forgotten = await _prune_all(pool, settings.retention_days)
        except POSTGRES_UNAVAILABLE as error:
            _log.warning("inbox_not_pruned", error_class=type(error).__name__)
        else:
            _log.info("inbox_pruned", forgotten=forgotten)
        # Replicas that started together drift apart.
        await asyncio.sleep(settings.prune_every_seconds * random.uniform(0.9, 1.1))  # noqa: S311 - no secret


async def _prune_all(pool: Pool, retention_days: int) -> int:
    """Prune in small statements: a long one would hold back vacuum and run into the statement timeout."""
    forgotten = 0
    while True:
        async with pool.acquire() as connection:
            pruned = await prune(connection, retention_days)
        forgotten += pruned
        if pruned < _PRUNE_ROWS:
            return forgotten
