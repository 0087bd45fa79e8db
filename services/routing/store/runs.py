"""The runs of candidates: one at a time for each tenant, each a cursor and counts."""

import enum
from collections.abc import Mapping
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

import asyncpg

from chassis.postgres import Connection, Queries, Row

_LOCK_SECONDS: Final = 5
_SPACE: Final = "ascolto.routing.reclassification"


class State(enum.StrEnum):
    """A run goes from one to the next; before it is promoted it may be discarded instead."""

    RUNNING = "running"
    DONE = "done"
    PROMOTING = "promoting"
    PROMOTED = "promoted"
    DISCARDED = "discarded"


ENDED: Final = frozenset({State.PROMOTED, State.DISCARDED})


class Wanted(NamedTuple):
    """What a run goes through, and as what."""

    model: str
    since: datetime | None = None
    mixes: str = ""
    """As of a run."""


class Run(NamedTuple):
    """One row of the table, in the order of its columns."""

    id: UUID
    tenant: str
    model: str
    since: datetime | None
    state: State
    cursor: str
    judged: int
    labelled: int
    differing: int
    promoted: int
    left_revised: int
    left_labelled: int
    left_equal: int
    stands_by_language_model: int
    """Of those judged and of those that a promotion left alone: a language model decided, the candidate abstains."""
    started_at: datetime
    done_at: datetime | None
    ended_at: datetime | None
    mixes: str
    """Digest of the mixes that the candidate is told; empty: those that what stands was decided under."""

    @property
    def wanted(self) -> Wanted:
        """What it was begun for."""
        return Wanted(self.model, self.since, self.mixes)


_COLUMNS: Final = ", ".join(Run._fields)
_BEGIN: Final = f"""
INSERT INTO reclassification_run (id, tenant, model, since, mixes, state, cursor, started_at)
VALUES ($1, $2, $3, $4, $5, 'running', '', now()) RETURNING {_COLUMNS}"""  # noqa: S608 - constants of this module
_OPEN: Final = f"""
SELECT {_COLUMNS} FROM reclassification_run
WHERE tenant = $1 AND state IN ('running', 'done', 'promoting')"""  # noqa: S608 - as above
_ALL: Final = f"SELECT {_COLUMNS} FROM reclassification_run WHERE tenant = $1 ORDER BY started_at"  # noqa: S608 - as above
_FIND: Final = f"""
SELECT {_COLUMNS} FROM reclassification_run
WHERE tenant = $1 AND starts_with(id::text, $2) ORDER BY started_at"""  # noqa: S608 - as above
_ENTER: Final = f"""
UPDATE reclassification_run SET state = $2,
    cursor = CASE WHEN $2 = 'promoting' THEN '' ELSE cursor END,
    done_at = CASE WHEN $2 = 'done' THEN now() ELSE done_at END,
    ended_at = CASE WHEN $2 IN ('promoted', 'discarded') THEN now() ELSE ended_at END
WHERE id = $1 AND state = $3 RETURNING {_COLUMNS}"""  # noqa: S608 - as above


async def claim(connection: Connection, tenant: str) -> bool:
    """Keep every other process from the runs of a tenant until the session ends; false where one is at them.

    Waits a little: the server may still be noticing that the process before was killed.
    """
    try:
        async with connection.transaction():
            await connection.execute(f"SET LOCAL lock_timeout = '{_LOCK_SECONDS}s'")
            await connection.execute("SELECT pg_advisory_lock(hashtext($1), hashtext($2))", _SPACE, tenant)
    except asyncpg.LockNotAvailableError:
        return False
    return True


async def begin(connection: Queries, run: UUID, tenant: str, wanted: Wanted) -> Run:
    """A new run, at its beginning; the tenant has no other that is open."""
    return _run(await connection.fetchrow(_BEGIN, run, tenant, *wanted))


async def open_run(connection: Queries, tenant: str) -> Run | None:
    """The tenant's run that is neither promoted nor discarded."""
    row = await connection.fetchrow(_OPEN, tenant)
    return _run(row) if row else None


async def runs_of(connection: Queries, tenant: str) -> list[Run]:
    """All runs of a tenant, the oldest first."""
    return [_run(row) for row in await connection.fetch(_ALL, tenant)]


async def find(connection: Queries, tenant: str, beginning: str) -> list[Run]:
    """The runs of a tenant whose ids begin so."""
    return [_run(row) for row in await connection.fetch(_FIND, tenant, beginning)]


async def enter(connection: Queries, run: Run, state: State) -> Run:
    """The run in its next state; raises AssertionError where it is in another than `run` says."""
    return _run(await connection.fetchrow(_ENTER, run.id, state.value, run.state.value))


async def advance(connection: Queries, run: Run, cursor: str, counts: Mapping[str, int]) -> Run:
    """The run behind one more page, with what it counted; in the transaction of the page.

    Raises AssertionError where another process has moved it.
    """
    added = ", ".join(f"{name} = {name} + ${at}" for at, name in enumerate(counts, 4))
    statement = (
        f"UPDATE reclassification_run SET cursor = $3, {added} WHERE id = $1 AND cursor = $2 RETURNING {_COLUMNS}"  # noqa: S608 - names of columns
    )
    return _run(await connection.fetchrow(statement, run.id, run.cursor, cursor, *counts.values()))


def _run(row: Row | None) -> Run:
    if row is None:
        raise AssertionError("another process has moved this run")
    found = Run(*row.values())
    return found._replace(state=State(found.state))
