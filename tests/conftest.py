"""The real Kafka and the real PostgreSQL, started once a session and shared by all tests that name them."""

import itertools
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import hypothesis
import pytest
from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

if TYPE_CHECKING:
    from local.stack import Stack

# No deadline for one example: a machine that does other work as well makes a good property look broken.
hypothesis.settings.register_profile("ascolto", deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
hypothesis.settings.load_profile("ascolto")

ROOT = Path(__file__).parent.parent
SERVICES_WITH_STORE = ("ingest", "routing", "responder", "feedback")
_counter = itertools.count()


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--infra",
        choices=("embedded", "containers"),
        default="embedded",
        help="where Kafka and PostgreSQL come from: the wheels (default) or testcontainers",
    )


@pytest.fixture(scope="session")
def stack(request: pytest.FixtureRequest) -> Iterator["Stack"]:
    """The embedded pair; fault tests stop and kill its halves."""
    if request.config.getoption("--infra") == "containers":
        pytest.skip("this test controls the embedded servers: run it without --infra=containers")
    from local.stack import running_stack

    kept = os.environ.get("ASCOLTO_TEST_STACK")
    # Not below pytest's own folder: that one is closed to other users, and as root PostgreSQL runs as another.
    root = Path(kept) if kept else Path(tempfile.mkdtemp(prefix="ascolto-stack-"))
    try:
        with running_stack(root) as stack:
            yield stack
    finally:
        if not kept:
            shutil.rmtree(root, ignore_errors=True)


@pytest.fixture(scope="session")
def infra(request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    """Bootstrap servers of Kafka and the superuser's DSN of PostgreSQL."""
    if request.config.getoption("--infra") == "containers":
        from tests.containers import running_containers

        with running_containers() as pair:
            yield pair
        return
    stack = request.getfixturevalue("stack")
    yield stack.bootstrap_servers, stack.postgres_dsn


@pytest.fixture(scope="session")
def kafka_bootstrap(infra: tuple[str, str]) -> str:
    return infra[0]


@pytest.fixture(scope="session")
def postgres_dsn(infra: tuple[str, str]) -> str:
    return infra[1]


def _with_database(dsn: str, database: str) -> str:
    base, _, _ = dsn.partition("?")
    return f"{base.rsplit('/', 1)[0]}/{database}"


async def _create_database(dsn: str, name: str, template: str | None = None) -> str:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(f'CREATE DATABASE "{name}"' + (f' TEMPLATE "{template}"' if template else ""))
    finally:
        await connection.close()
    return _with_database(dsn, name)


async def _drop_database(dsn: str, name: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
    finally:
        await connection.close()


@pytest.fixture
async def database_dsn(postgres_dsn: str) -> AsyncIterator[str]:
    """An empty database of the test's own."""
    name = f"test_{os.getpid()}_{next(_counter)}"
    yield await _create_database(postgres_dsn, name)
    await _drop_database(postgres_dsn, name)


@pytest.fixture(scope="session")
def template_database(postgres_dsn: str) -> str:
    """A database with every service's migrations applied, cloned by `migrated_dsn`."""
    import asyncio

    from chassis.migrations import migrate

    name = f"template_{os.getpid()}"
    dsn = asyncio.run(_create_database(postgres_dsn, name))
    for service in SERVICES_WITH_STORE:
        directory = ROOT / "services" / service / "sql" / "migrations"
        if directory.is_dir():
            migrate(dsn, service, directory)
    return name


@pytest.fixture
async def migrated_dsn(postgres_dsn: str, template_database: str) -> AsyncIterator[str]:
    """A database of the test's own with every service's schema."""
    name = f"test_{os.getpid()}_{next(_counter)}"
    yield await _create_database(postgres_dsn, name, template_database)
    await _drop_database(postgres_dsn, name)


@pytest.fixture(scope="session")
def catalogue(kafka_bootstrap: str) -> str:
    """The topics of the catalogue exist; the value is the bootstrap servers."""
    import asyncio

    from contracts.provision import ensure_catalogue

    asyncio.run(ensure_catalogue(kafka_bootstrap))
    return kafka_bootstrap


@pytest.fixture
async def topics(catalogue: str) -> str:
    """The topics of the catalogue, without the records that other tests left; the value is the bootstrap servers."""
    from chassis.kafka import KafkaSettings, end_offsets
    from contracts.topics import TOPICS

    settings = KafkaSettings(bootstrap_servers=tuple(catalogue.split(",")))
    ends = await end_offsets(settings, [topic.name for topic in TOPICS])
    filled = {TopicPartition(*at): RecordsToDelete(end) for at, end in ends.items() if end}
    admin = AIOKafkaAdminClient(bootstrap_servers=catalogue)
    await admin.start()
    try:
        await admin.delete_records(filled)
    finally:
        await admin.close()
    return catalogue
