"""The lock of the read model: whoever folds shares it, and a rebuild has it alone."""

import asyncpg

from chassis.postgres import Connection

_SPACE = "ascolto.routing"
_SHARED = "SELECT pg_advisory_xact_lock_shared(hashtext($1), hashtext('fold'))"
_ALONE = "SELECT pg_advisory_xact_lock(hashtext($1), hashtext('fold'))"


async def folding(connection: Connection) -> None:
    """Wait until no rebuild is under way, and keep one from beginning until this transaction has ended.

    Raises TimeoutError, one of POSTGRES_UNAVAILABLE, when it waits in vain: that is no fault of what is folded.
    """
    try:
        await connection.execute(_SHARED, _SPACE)
    except asyncpg.QueryCanceledError as error:
        raise TimeoutError("the read model is being rebuilt") from error


async def rebuilding(connection: Connection) -> None:
    """Wait until nobody folds, and keep everybody waiting until this transaction has ended."""
    await connection.execute(_ALONE, _SPACE)
