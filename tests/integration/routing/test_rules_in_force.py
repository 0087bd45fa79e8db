"""The rules in force outlive the process: kept in the real PostgreSQL, and taken by a start beside a bad file."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from chassis.kafka import KafkaSettings
from chassis.postgres import Pool, PostgresSettings, open_pool, transaction
from services.routing.keeping import keep, restore
from services.routing.rules.book import RuleBook
from services.routing.settings import RoutingSettings
from tests.factories import make_post
from tests.integration.routing.commands import until
from tests.integration.routing.processes import process
from tests.unit.routing.rules.rulings import HEARD_AT, complaint, file_of

pytestmark = pytest.mark.integration
BAD = "calendar: always\n"


def of_queue(queue: str) -> str:
    return file_of(default=f"{{queue: {queue}}}")


def write(folder: Path, **files: str) -> None:
    for tenant, text in files.items():
        (folder / f".{tenant}").write_text(text)
        (folder / f".{tenant}").replace(folder / f"{tenant}.yaml")


def queue_of(book: RuleBook, tenant: str) -> str | None:
    handling = book.handle(complaint(), make_post(tenant=tenant), HEARD_AT)
    return handling.queue if handling else None


async def kept(pool: Pool) -> dict[str, str]:
    rows = await pool.fetch("SELECT tenant, content FROM rules_in_force ORDER BY tenant")
    return {row["tenant"]: row["content"].decode() for row in rows}


async def until_kept(pool: Pool, **files: str) -> None:
    await until(lambda: _holds(pool, files))


async def _holds(pool: Pool, files: dict[str, str]) -> bool:
    return await kept(pool) == files


@asynccontextmanager
async def started(pool: Pool, folder: Path) -> AsyncIterator[RuleBook]:
    """The rules as a process has them: restored, then followed and kept."""
    book = RuleBook.open(folder)
    await restore(pool, book)
    tasks = [asyncio.create_task(book.run(0.01)), asyncio.create_task(keep(pool, book, 0.01))]
    try:
        yield book
    finally:
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


async def test_a_start_beside_a_bad_file_takes_the_rules_that_counted_last(pool: Pool, tmp_path: Path) -> None:
    write(tmp_path, acme=of_queue("first"), zeta=of_queue("z"))
    async with started(pool, tmp_path):
        await until_kept(pool, acme=of_queue("first"), zeta=of_queue("z"))
        write(tmp_path, acme=of_queue("second"))
        await until_kept(pool, acme=of_queue("second"), zeta=of_queue("z"))
        write(tmp_path, acme=BAD, zeta=of_queue("later"))
        await until_kept(pool, acme=of_queue("second"), zeta=of_queue("later"))
    async with started(pool, tmp_path) as book:
        assert (queue_of(book, "acme"), queue_of(book, "zeta")) == ("second", "later")
        assert "the ones before them count on" in str(book.trouble())
        write(tmp_path, acme=of_queue("third"))
        await until_kept(pool, acme=of_queue("third"), zeta=of_queue("later"))
        assert (queue_of(book, "acme"), book.trouble()) == ("third", None)


async def test_a_tenant_whose_first_file_is_bad_has_no_rules(pool: Pool, tmp_path: Path) -> None:
    write(tmp_path, acme=BAD, zeta=of_queue("z"))
    async with started(pool, tmp_path) as book:
        await until_kept(pool, zeta=of_queue("z"))
        assert (queue_of(book, "acme"), queue_of(book, "zeta")) == (None, "z")
        assert "of tenants that have none from before" in str(book.trouble())


async def test_a_file_that_goes_takes_along_what_was_kept(pool: Pool, tmp_path: Path) -> None:
    write(tmp_path, acme=of_queue("a"), zeta=of_queue("z"))
    async with started(pool, tmp_path):
        await until_kept(pool, acme=of_queue("a"), zeta=of_queue("z"))
    (tmp_path / "acme.yaml").unlink()
    async with started(pool, tmp_path):
        await until_kept(pool, zeta=of_queue("z"))
        (tmp_path / "zeta.yaml").unlink()
        await until_kept(pool)


async def test_what_this_version_cannot_read_stays_kept(pool: Pool, tmp_path: Path) -> None:
    await pool.execute("INSERT INTO rules_in_force VALUES ('acme', 'of another version', sha256('x'), now())")
    write(tmp_path, acme=BAD, zeta=of_queue("z"))
    async with started(pool, tmp_path) as book:
        await until_kept(pool, acme="of another version", zeta=of_queue("z"))
        assert queue_of(book, "acme") is None


async def test_replicas_that_say_the_same_leave_the_row_untouched(pool: Pool, tmp_path: Path) -> None:
    write(tmp_path, acme=of_queue("a"))
    async with started(pool, tmp_path):
        await until_kept(pool, acme=of_queue("a"))
    write(tmp_path, zeta=of_queue("z"))
    async with started(pool, tmp_path):
        await until_kept(pool, acme=of_queue("a"), zeta=of_queue("z"))
    row = await pool.fetchrow(
        "SELECT xmin::text, sha256 = sha256(content) AS whole FROM rules_in_force WHERE tenant = 'acme'"
    )
    newest = await pool.fetchval("SELECT max(xmin::text::bigint) FROM rules_in_force")
    assert row is not None
    assert (row["whole"], int(row["xmin"]) < newest) == (True, True)


async def test_a_database_that_does_not_answer_holds_up_no_reload(
    pool: Pool, postgres: PostgresSettings, tmp_path: Path
) -> None:
    impatient = postgres.model_copy(update={"statement_timeout_seconds": 1.0})
    write(tmp_path, acme=of_queue("a"))
    with capture_logs() as logged:
        async with (
            open_pool(impatient, schema="routing", application_name="test") as hurried,
            started(hurried, tmp_path) as book,
        ):
            await until_kept(pool, acme=of_queue("a"))
            async with transaction(pool) as other:
                await other.execute("LOCK TABLE rules_in_force")
                write(tmp_path, acme=of_queue("b"))
                await until(lambda: _logged(logged, "rules_not_kept"))
                assert queue_of(book, "acme") == "b"
            await until_kept(pool, acme=of_queue("b"))
    assert [each["event"] for each in logged].count("rules_not_kept") == 1


async def _logged(logged: Sequence[Mapping[str, Any]], event: str) -> bool:
    return any(each["event"] == event for each in logged)


async def test_the_service_starts_beside_a_bad_file_and_says_so(
    pool: Pool, postgres: PostgresSettings, topics: str, tmp_path: Path
) -> None:
    kafka = KafkaSettings.model_validate({"bootstrap_servers": topics})
    routing = RoutingSettings(rules_dir=tmp_path, rules_poll_seconds=0.1)
    write(tmp_path, acme=of_queue("a"))
    async with process(postgres, kafka, routing=routing):
        await until_kept(pool, acme=of_queue("a"))
    write(tmp_path, acme=BAD, zeta=BAD)
    with capture_logs() as logged:
        async with process(postgres, kafka, routing=routing) as running:
            degraded = running.lifecycle.health.degraded()["rules"]
    assert degraded.index("count on") < degraded.index("acme.yaml") < degraded.index("none from before")
    assert degraded.index("none from before") < degraded.index("zeta.yaml")
    refused = {each["tenant"]: each["rules_before"] for each in logged if each["event"] == "rules_refused"}
    assert refused == {"acme": True, "zeta": False}
