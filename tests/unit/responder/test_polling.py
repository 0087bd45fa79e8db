"""A background worker outlives what PostgreSQL refuses it; any other error ends it."""

import asyncio

import asyncpg
import pytest

from services.responder import polling
from services.responder.polling import Signal, repeat


@pytest.mark.parametrize(
    "refusal",
    [
        asyncpg.QueryCanceledError("not now"),
        asyncpg.DeadlockDetectedError("not now"),
        asyncpg.LockNotAvailableError("not now"),
        OSError("not now"),
        asyncpg.InterfaceError("connection is closed"),
    ],
    ids=repr,
)
async def test_what_postgresql_refuses_is_tried_again(refusal: Exception, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(polling, "_PAUSE_SECONDS", 0.0)
    done = asyncio.Event()
    errors = iter([refusal])

    async def step() -> int:
        for error in errors:
            raise error
        done.set()
        return 0

    working = asyncio.create_task(repeat(step, Signal(), 60, "test"))
    await asyncio.wait({working, asyncio.create_task(done.wait())}, return_when=asyncio.FIRST_COMPLETED, timeout=10)
    assert done.is_set()
    working.cancel()


async def test_an_error_of_ours_ends_the_worker() -> None:
    async def step() -> int:
        raise ValueError("a bug")

    with pytest.raises(ValueError, match="a bug"):
        await repeat(step, Signal(), 60, "test")
