"""What it looks like when PostgreSQL is away: wait and try the whole transaction again, or answer 503."""

from collections.abc import Iterator
from contextlib import contextmanager

import asyncpg

POSTGRES_UNAVAILABLE: tuple[type[BaseException], ...] = (
    OSError,  # refused, reset, unreachable, no such host, and every TimeoutError: ours and asyncpg's
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.IdleSessionTimeoutError,
    asyncpg.TooManyConnectionsError,
    asyncpg.InternalClientError,  # asyncpg lost track of the session: seen when one ends between two statements
    asyncpg.ReadOnlySQLTransactionError,  # the primary became a standby: another connection finds the new one
)
"""The server could not be asked or did not answer; the statement may or may not have been done.

A statement that the server itself gave up (statement_timeout, deadlock) is not in here: it was asked, and a
record that always causes it must not be tried for ever.
"""


@contextmanager
def closed_means_unavailable() -> Iterator[None]:
    """Turn asyncpg's "connection is closed" into `ConnectionError`, which it is.

    asyncpg raises the `InterfaceError` of wrong API use when a session dies between two statements, and again
    from the ROLLBACK that follows, hiding the first error.
    """
    try:
        yield
    except asyncpg.DataError:
        raise
    except asyncpg.InterfaceError as error:
        if "closed" not in str(error):
            raise
        message = "the connection to PostgreSQL was lost in the middle of the work"
        raise ConnectionError(message) from error
