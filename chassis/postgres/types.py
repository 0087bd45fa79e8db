"""The parts of asyncpg that we use, as Protocols: asyncpg itself ships without types."""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

Row = Mapping[str, Any]
"""One row of a result, read by column name."""


class Queries(Protocol):
    """What can be asked of a connection, and of a pool (which then takes a connection for one statement)."""

    async def execute(self, query: str, *args: object) -> str:
        """Run a statement and answer its command tag, such as `DELETE 3`."""

    async def executemany(self, command: str, args: Iterable[Sequence[object]]) -> None:
        """Run one statement for each tuple of arguments, all or nothing."""

    async def fetch(self, query: str, *args: object) -> list[Row]:
        """Answer all rows."""

    async def fetchrow(self, query: str, *args: object) -> Row | None:
        """Answer the first row, or None when there is none."""

    async def fetchval(self, query: str, *args: object) -> Any:  # noqa: ANN401 - the type is the query's
        """Answer the first value of the first row, or None when there is none."""

    async def copy_records_to_table(
        self, table_name: str, *, records: Iterable[Sequence[object]], columns: Sequence[str]
    ) -> str:
        """Write rows by COPY in binary form: the fastest way in, and it keeps the order of the records."""


class Connection(Queries, Protocol):
    """One session with the server, pooled or not."""

    def transaction(self) -> AbstractAsyncContextManager[object]:
        """Open a transaction, or a savepoint inside one: commits on leaving, rolls back on an exception."""

    def cursor(self, query: str, *args: object, prefetch: int | None = None) -> AsyncIterator[Row]:
        """Read a large result in steps; inside a transaction only."""

    def is_closed(self) -> bool:
        """Tell whether the session has ended, for whatever reason."""


class Session(Connection, Protocol):
    """A connection outside any pool: whoever opened it closes it."""

    def add_termination_listener(self, callback: Callable[["Session"], None]) -> None:
        """Have `callback` called once when the session ends, whoever ended it."""

    async def close(self, *, timeout: float | None = None) -> None:  # noqa: ASYNC109 - asyncpg's own name
        """End the session politely within `timeout` seconds."""

    def terminate(self) -> None:
        """Cut the session without waiting."""


class Pool(Queries, Protocol):
    """A bounded set of connections; `acquire` waits for a free one, no longer than the settings say."""

    def acquire(self, *, timeout: float | None = None) -> AbstractAsyncContextManager[Connection]:
        """Lend a connection. What stays with a session (locks, settings, LISTEN) needs one of its own: `connect`."""

    def get_size(self) -> int:
        """Count the open connections."""

    def get_idle_size(self) -> int:
        """Count the open connections that nobody uses."""
