"""Migrations on the real PostgreSQL: they apply once, together and in turn, and say which file is wrong."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from chassis.migrations import MigrationError, migrate
from chassis.postgres import PostgresSettings, open_pool

pytestmark = pytest.mark.integration


def _write(directory: Path, name: str, sql: str) -> Path:
    directory.mkdir(exist_ok=True)
    (directory / name).write_text(f"-- migrate:up\n{sql}\n-- migrate:down\n")
    return directory


async def _fetchval(dsn: str, query: str) -> object:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def test_bare_names_land_in_the_services_own_schema(database_dsn: str, migrations: Path) -> None:
    await asyncio.to_thread(migrate, database_dsn, "sample", migrations)

    found = await _fetchval(
        database_dsn,
        "SELECT array_agg(table_schema || '.' || table_name ORDER BY table_name) "
        "FROM information_schema.tables WHERE table_name IN ('outbox', 'schema_migrations')",
    )
    assert found == ["sample.outbox", "sample.schema_migrations"]


async def test_what_was_applied_is_not_applied_again(database_dsn: str, migrations: Path) -> None:
    await asyncio.to_thread(migrate, database_dsn, "sample", migrations)
    _write(migrations, "0002_more.sql", "create table more (id int);")
    await asyncio.to_thread(migrate, database_dsn, "sample", migrations)

    assert await _fetchval(database_dsn, "SELECT count(*) FROM sample.schema_migrations") == 2


async def test_many_at_once_wait_for_each_other(database_dsn: str, migrations: Path) -> None:
    _write(migrations, "0002_slow.sql", "select pg_sleep(0.3); create table slow (id int);")
    runs = [asyncio.to_thread(migrate, database_dsn, "sample", migrations) for _ in range(4)]
    await asyncio.gather(*runs)

    assert await _fetchval(database_dsn, "SELECT count(*) FROM sample.schema_migrations") == 2


async def test_services_migrate_side_by_side(database_dsn: str, migrations: Path) -> None:
    schemas = ["sample_a", "sample_b", "sample_c"]
    await asyncio.gather(*(asyncio.to_thread(migrate, database_dsn, schema, migrations) for schema in schemas))

    count = "SELECT count(*) FROM information_schema.tables WHERE table_name = 'outbox'"
    assert await _fetchval(database_dsn, count) == 3


async def test_an_error_names_the_file_and_keeps_nothing_of_it(database_dsn: str, migrations: Path) -> None:
    _write(migrations, "0002_wrong.sql", "create table half (id int);\ncreate tabel wrong ();")

    with pytest.raises(MigrationError, match=r"0002_wrong\.sql: .*tabel"):
        await asyncio.to_thread(migrate, database_dsn, "sample", migrations)
    assert await _fetchval(database_dsn, "SELECT to_regclass('sample.half')") is None


async def test_a_missing_directory_is_named(database_dsn: str, tmp_path: Path) -> None:
    with pytest.raises(MigrationError, match="nowhere: there is no such directory"):
        await asyncio.to_thread(migrate, database_dsn, "sample", tmp_path / "nowhere")


async def test_an_absent_server_is_awaited_up_to_the_deadline(unused_tcp_port: int, migrations: Path) -> None:
    dsn = f"postgresql://nobody@127.0.0.1:{unused_tcp_port}/none"

    with pytest.raises(MigrationError, match=r"did not answer within 0\.3 s"):
        await asyncio.to_thread(migrate, dsn, "sample", migrations, wait_seconds=0.3)


async def test_one_services_role_cannot_read_anothers_tables(database_dsn: str, migrations: Path) -> None:
    for schema in ("sample_a", "sample_b"):
        await asyncio.to_thread(migrate, database_dsn, schema, migrations)
    settings = PostgresSettings.model_validate({"dsn": database_dsn})

    async with open_pool(settings, schema="sample_a", application_name="test") as pool:
        assert await pool.fetchval("SELECT count(*) FROM outbox") == 0
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await pool.fetchval("SELECT count(*) FROM sample_b.outbox")


async def test_a_services_role_cannot_change_tables_but_empty_them(database_dsn: str, migrations: Path) -> None:
    await asyncio.to_thread(migrate, database_dsn, "sample", migrations)
    settings = PostgresSettings.model_validate({"dsn": database_dsn})

    async with open_pool(settings, schema="sample", application_name="test") as pool:
        await pool.execute("TRUNCATE inbox")
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await pool.execute("DROP TABLE inbox")


async def test_a_user_who_is_no_superuser_can_migrate_and_serve(
    postgres_dsn: str, database_dsn: str, migrations: Path
) -> None:
    owner = "sample_owner"
    database = database_dsn.rsplit("/", 1)[1]
    admin = await asyncpg.connect(postgres_dsn)
    await admin.execute(f"CREATE ROLE {owner} LOGIN CREATEROLE PASSWORD 'secret'")
    try:
        await admin.execute(f"ALTER DATABASE {database} OWNER TO {owner}")
        dsn = f"postgresql://{owner}:secret@{database_dsn.split('@')[1]}"
        await asyncio.to_thread(migrate, dsn, "sample_owned", migrations)
        settings = PostgresSettings.model_validate({"dsn": dsn})
        async with open_pool(settings, schema="sample_owned", application_name="test") as pool:
            assert await pool.fetchval("SELECT current_user") == "ascolto_sample_owned"
    finally:
        await admin.execute(f"ALTER DATABASE {database} OWNER TO CURRENT_USER")
        await _drop_owned(database_dsn, owner)
        await admin.execute(f"DROP ROLE ascolto_sample_owned; DROP ROLE {owner}")
        await admin.close()


async def _drop_owned(dsn: str, role: str) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute(f"DROP OWNED BY ascolto_sample_owned; DROP OWNED BY {role} CASCADE")
    await connection.close()
