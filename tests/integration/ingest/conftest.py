"""A whole ingest inside the test's process: real HTTP and gRPC, the real PostgreSQL and Kafka."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from chassis.dev_issuer import DevIssuer, DevIssuerSettings
from tests.integration.ingest.running import Account, Running, running_ingest
from tests.integration.ingest.wire import Wire, wire_to


@pytest.fixture
def account(tmp_path: Path) -> Account:
    """A tenant of the test's own, with one integration of each kind."""
    return Account(tmp_path)


@pytest.fixture
async def issuer() -> AsyncIterator[DevIssuer]:
    async with DevIssuer(DevIssuerSettings(profile="local")) as issuer:
        yield issuer


@pytest.fixture
async def ingest(account: Account, migrated_dsn: str, topics: str, issuer: DevIssuer) -> AsyncIterator[Running]:
    async with running_ingest(account, dsn=migrated_dsn, kafka=topics, issuer=issuer.url) as ingest:
        yield ingest


@pytest.fixture
async def postgres_wire(migrated_dsn: str) -> AsyncIterator[Wire]:
    """The way to PostgreSQL, which the test may cut and mend."""
    async with wire_to(migrated_dsn) as wire:
        yield wire
