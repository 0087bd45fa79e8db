"""The schema of routing in a database of the test's own."""

from collections.abc import AsyncIterator

import pytest

from chassis.postgres import Pool, PostgresSettings, open_pool
from services.routing.corrections import no_rules
from services.routing.handlers import Projector


@pytest.fixture
def postgres(migrated_dsn: str) -> PostgresSettings:
    return PostgresSettings.model_validate({"dsn": migrated_dsn})


@pytest.fixture
async def pool(postgres: PostgresSettings) -> AsyncIterator[Pool]:
    async with open_pool(postgres, schema="routing", application_name="test") as pool:
        yield pool


@pytest.fixture
def projector(pool: Pool) -> Projector:
    return Projector(pool, no_rules, on_corrections=lambda: None)
