"""Advisory locks of this schema: one fold at a time, and no rebuild beside a running service."""

import asyncpg

from chassis.postgres import Connection

_SPACE = "ascolto.feedback"
_ONE_FOLD = "SELECT pg_advisory_xact_lock(hashtext($1), hashtext('fold'))"
_PRESENCE = "SELECT pg_try_advisory_lock_shared(hashtext($1), hashtext('presence'))"
_ABSENCE = "SELECT pg_try_advisory_xact_lock(hashtext($1), hashtext('presence'))"


async def one_fold_at_a_time(connection: Connection) -> None:
    """Wait until no other transaction folds, and keep others waiting until this one has ended.

    Two things rest on it. A post may change by records of two topics at once: the second reads what the first wrote.
    And PostgreSQL lets go of the lock after the commit has become visible, so `insight.seq` becomes visible in
    ascending order: a reader that has seen a number will never find a smaller one later.

    Raises TimeoutError, one of POSTGRES_UNAVAILABLE, when it waits in vain: that is no fault of the batch.
    """
    try:
        await connection.execute(_ONE_FOLD, _SPACE)
    except asyncpg.QueryCanceledError as error:
        raise TimeoutError("another process has been folding for too long, or a rebuild is under way") from error


async def claim_presence(connection: Connection) -> bool:
    """Mark a service as running for as long as this session lives; False while a rebuild is under way."""
    return bool(await connection.fetchval(_PRESENCE, _SPACE))


async def claim_absence(connection: Connection) -> bool:
    """Keep services from starting until this transaction ends; False while one is running."""
    return bool(await connection.fetchval(_ABSENCE, _SPACE))
