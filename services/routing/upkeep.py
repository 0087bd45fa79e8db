"""What is done now and then: answers that nobody will ask for again are forgotten."""

import asyncio
from datetime import timedelta
from typing import Final

import structlog

from chassis.idempotency import prune_requests
from chassis.postgres import POSTGRES_UNAVAILABLE, Pool

_EVERY_SECONDS: Final = 600.0
_KEEP_ANSWERS: Final = timedelta(days=1)
_log = structlog.get_logger(__name__)


async def keep_requests_pruned(pool: Pool) -> None:
    """Work until cancelled; PostgreSQL that is away is waited for."""
    while True:
        try:
            async with pool.acquire() as connection:
                await prune_requests(connection, _KEEP_ANSWERS)
        except POSTGRES_UNAVAILABLE as error:
            _log.warning("postgres_awaited", worker="upkeep", error_class=type(error).__name__)
        await asyncio.sleep(_EVERY_SECONDS)
