"""A responder's parts on a database of the test's own, with a clock that tests can move."""

from collections.abc import AsyncIterator

import pytest

from chassis.postgres import Pool, PostgresSettings, open_pool
from tests.integration.responder.desk import Desk


@pytest.fixture
def postgres(migrated_dsn: str) -> PostgresSettings:
    return PostgresSettings.model_validate({"dsn": migrated_dsn})


@pytest.fixture
async def pool(postgres: PostgresSettings) -> AsyncIterator[Pool]:
    async with open_pool(postgres, schema="responder", application_name="test") as pool:
        yield pool


@pytest.fixture
def desk(pool: Pool) -> Desk:
    return Desk(pool)
