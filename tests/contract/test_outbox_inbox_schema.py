"""Every service's outbox and inbox are the canonical ones: chassis code reads and writes them all."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from chassis.postgres.types import Session

ROOT = Path(__file__).parents[2]
SERVICES = ("ingest", "routing", "responder", "feedback")
TABLES = ("outbox", "inbox")


@pytest.fixture
async def database(migrated_dsn: str) -> AsyncIterator[Session]:
    """Every service's schema, and one named `canonical` that is made of chassis/sql."""
    connection: Session = await asyncpg.connect(migrated_dsn)
    await connection.execute("CREATE SCHEMA canonical; SET search_path = canonical")
    for table in TABLES:
        await connection.execute((ROOT / "chassis" / "sql" / f"{table}.sql").read_text())
    yield connection
    await connection.close()


async def _shape(database: Session, schema: str, table: str) -> list[tuple[object, ...]]:
    """Columns with type, nullability, default and identity; then the indexes."""
    columns = await database.fetch(
        "SELECT column_name, udt_name, is_nullable, column_default, is_identity, ordinal_position "
        "FROM information_schema.columns WHERE table_schema = $1 AND table_name = $2 ORDER BY ordinal_position",
        schema,
        table,
    )
    indexes = await database.fetch(
        "SELECT replace(indexdef, $1 || '.', '') FROM pg_indexes WHERE schemaname = $1 AND tablename = $2 ORDER BY 1",
        schema,
        table,
    )
    return [tuple(row.values()) for row in (*columns, *indexes)]


@pytest.mark.integration
@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("service", SERVICES)
async def test_the_table_is_the_canonical_one(database: Session, service: str, table: str) -> None:
    if not any((ROOT / "services" / service / "sql" / "migrations").glob("*.sql")):
        pytest.skip(f"services/{service} has no migrations yet")
    found = await _shape(database, service, table)
    if not found and not _uses(service, table):
        pytest.skip(f"services/{service} has no {table} and uses none")
    assert found == await _shape(database, "canonical", table)


def _uses(service: str, table: str) -> bool:
    """Tell whether the service's code imports the chassis module of that table."""
    sources = (ROOT / "services" / service).rglob("*.py")
    return any(f"chassis.{table}" in source.read_text() for source in sources)
