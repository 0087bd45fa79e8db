"""What deliveries failed with is raised, a defect before what PostgreSQL refused."""

import asyncio
from uuid import uuid4

import asyncpg
import pytest

from services.responder.deliveries import Due
from services.responder.places import Places


def due(integration: str) -> Due:
    return Due(uuid4(), uuid4(), integration, 1, 0)


@pytest.mark.parametrize("order", [1, -1])
async def test_a_defect_is_raised_before_what_postgresql_refused(order: int) -> None:
    errors = iter([ValueError("a bug"), asyncpg.DeadlockDetectedError(), OSError()][::order])

    async def fail(_: Due) -> None:
        await asyncio.sleep(0)
        raise next(errors)

    places = Places(12, on_free=lambda: None)
    assert [places.take(due("acme-hook"), fail) for _ in range(4)] == [True, True, True, False]
    await places.emptied()
    with pytest.raises(ValueError, match="a bug"):
        places.check()
    places.check()
