"""`ascolto triage` and `ascolto decision` against a real server and a real store."""

import asyncio
import json
import os
import shlex
from collections.abc import AsyncIterator, Callable, Coroutine
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from typer.testing import CliRunner, Result

from chassis.postgres import Pool
from cli.app import app
from cli.channel import SUBJECT
from cli.errors import CommandError
from services.routing.handlers import Projector
from tests.integration.ingest.wire import Wire, wire_to
from tests.integration.routing.commands import until
from tests.integration.routing.records import OTHER, edited, facts_of, name_of, unsure
from tests.integration.routing.serving import Served, correct, serving

pytestmark = pytest.mark.integration
Ascolto = Callable[..., Coroutine[Any, Any, Result]]
POST = name_of("p").rpartition("/")[2]
TO_A_QUESTION = ("triage", "correct", POST, "question", "--reason", "they ask")


@pytest.fixture
async def served(pool: Pool) -> AsyncIterator[Served]:
    async with serving(pool) as served:
        yield served


@pytest.fixture
async def wire(served: Served) -> AsyncIterator[Wire]:
    """The way to the server, which can be cut."""
    async with wire_to(f"grpc://any@127.0.0.1:{served.server.port}") as wire:
        yield wire


@pytest.fixture
async def ascolto(
    served: Served, wire: Wire, projector: Projector, migrated_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> Ascolto:
    """The command line of somebody of acme, where one post waits."""
    await projector.handle(facts_of([unsure(native_id="p", text="and now?")]))
    monkeypatch.setenv("ASCOLTO_TENANT", "acme")
    monkeypatch.setenv("POSTGRES_DSN", migrated_dsn)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("ASCOLTO_ROUTING_GRPC", wire.dsn.rpartition("@")[2])
    monkeypatch.setenv("ASCOLTO_ISSUER_URL", served.issuer.url)

    async def run(*words: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, app, words)

    return run


def objects(result: Result) -> list[dict[str, Any]]:
    """What was printed for programs; the server of the test logs to the same place."""
    return [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]


async def test_what_waits_is_listed_corrected_and_explained(ascolto: Ascolto) -> None:
    (listed,) = objects(await ascolto("triage", "list", "--json"))
    (corrected,) = objects(await ascolto("triage", "correct", POST, "question", "--reason", "they ask", "--json"))
    left = objects(await ascolto("triage", "list", "--json"))
    (told,) = objects(await ascolto("decision", POST, "--json"))
    assert (listed["post_name"], left) == (name_of("p"), [])
    assert corrected["classification"]["category"] == "CATEGORY_QUESTION"
    assert (told["decision"]["correction_reason"], len(told["earlier"])) == ("they ask", 1)


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (("triage", "list"), "other?"),
        (("triage", "list", "--language", "en"), "and now?"),
        (("triage", "correct", POST, "question", "--reason", "they ask"), f"{POST} is question"),
        (("decision", POST), "abstained"),
    ],
)
async def test_people_read_it_as_a_table(ascolto: Ascolto, words: tuple[str, ...], shown: str) -> None:
    result = await ascolto(*words)
    assert (result.exit_code, shown in result.output) == (0, True), result.output


async def etag_of(ascolto: Ascolto) -> str:
    (told,) = objects(await ascolto("decision", POST, "--json"))
    return str(told["decision"]["etag"])


async def labels(pool: Pool) -> list[tuple[str, str]]:
    return [tuple(row.values()) for row in await pool.fetch("SELECT category, corrected_by FROM label")]


async def test_the_answer_tells_what_the_post_says_and_what_it_was(ascolto: Ascolto) -> None:
    printed = (await ascolto(*TO_A_QUESTION)).output
    assert f"{POST} is question" in printed
    assert "it was: other?, by models/" in printed
    assert "it says: and now?" in printed
    (again,) = objects(await ascolto("triage", "correct", POST, "complaint", "--reason", "no, angry", "--json"))
    assert (again["former"]["correction_reason"], again["former"]["corrected_by"]) == ("they ask", f"users/{SUBJECT}")


@pytest.mark.parametrize("words", [("triage", "list"), ("decision", POST)])
async def test_people_are_shown_an_etag_that_a_correction_takes(
    ascolto: Ascolto, pool: Pool, words: tuple[str, ...]
) -> None:
    printed = (await ascolto(*words)).output
    etag = printed.split("etag ")[1].removeprefix("is ").split()[0]
    result = await ascolto(*TO_A_QUESTION, "--etag", etag)
    assert (result.exit_code, await labels(pool)) == (0, [("question", f"users/{SUBJECT}")])


async def test_what_somebody_else_said_is_not_passed_over_unseen(ascolto: Ascolto, served: Served, pool: Pool) -> None:
    await correct(await served.caller(), name_of("p"), OTHER, reason="small talk")
    refused = str((await ascolto(*TO_A_QUESTION)).exception)
    assert "other, by users/ada at 20" in refused
    assert ': "small talk"' in refused
    assert await labels(pool) == [("other", "users/ada")]
    etag = refused.split("--etag ")[1].removesuffix(".")
    assert (await ascolto(*TO_A_QUESTION, "--etag", etag)).exit_code == 0
    assert await labels(pool) == [("question", f"users/{SUBJECT}")]


async def test_what_was_not_seen_is_not_corrected(ascolto: Ascolto, projector: Projector, pool: Pool) -> None:
    etag = await etag_of(ascolto)
    await projector.handle(facts_of([edited(native_id="p", text="never mind")]))
    refused = str((await ascolto(*TO_A_QUESTION, "--etag", etag[:8])).exception)
    assert "ETAG_MISMATCH" in refused
    assert f"--etag {(await etag_of(ascolto))[:8]}." in refused
    assert await labels(pool) == []


async def test_a_lost_answer_says_how_to_repeat_and_the_repeat_acts_once(
    ascolto: Ascolto, wire: Wire, pool: Pool
) -> None:
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT FROM decision FOR UPDATE")
        blocked = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)"
        running = asyncio.create_task(ascolto(*TO_A_QUESTION, "--kind", "information_request"))
        await until(lambda: pool.fetchval(blocked))
        wire.cut()
        message = str((await running).exception)
    await wire.mend()
    assert "It may have been done, or not." in message
    _, *command = (*shlex.split(message.splitlines()[-1]), "--json")

    async def repeated() -> bool:
        return (await ascolto(*command)).exit_code == 0

    await until(repeated)
    first, second = objects(await ascolto(*command)), objects(await ascolto(*command))
    assert (first[0]["etag"], first[0]["former"]["etag"]) == (second[0]["etag"], second[0]["former"]["etag"])
    told = await pool.fetchval("SELECT count(*) FROM outbox")
    assert (told, await labels(pool)) == (1, [("question", f"users/{SUBJECT}")])


async def test_the_export_is_private_and_never_overwrites(ascolto: Ascolto, tmp_path: Path) -> None:
    file = tmp_path / "labels.jsonl"
    await ascolto("triage", "correct", POST, "question", "--kind", "information_request", "--reason", "they ask")
    first, second = await ascolto("triage", "export", str(file)), await ascolto("triage", "export", str(file))
    (line,) = map(json.loads, file.read_text().splitlines())
    assert (line["text"], line["category"], line["kind"]) == ("and now?", "question", "information_request")
    assert (file.stat().st_mode & 0o777, first.exit_code) == (0o600, 0)
    assert "It holds what people wrote" in " ".join(first.output.split())
    assert isinstance(second.exception, CommandError)


async def test_the_export_tells_what_it_leaves_out(ascolto: Ascolto, projector: Projector, tmp_path: Path) -> None:
    await ascolto(*TO_A_QUESTION)
    await projector.handle(facts_of([edited(native_id="p", text="something else")]))
    told = await ascolto("triage", "export", str(tmp_path / "labels.jsonl"))
    assert (tmp_path / "labels.jsonl").read_text() == ""
    assert "Left out: 1 labels of posts that were edited since" in " ".join(told.output.split())


def names_in(folder: Path) -> list[str]:
    return [file.name for file in folder.iterdir()]


@pytest.mark.parametrize(
    ("dsn", "told"),
    [
        ("postgresql://127.0.0.1:1/none", "store of routing cannot be reached"),
        ("127.0.0.1:5432", "POSTGRES_DSN: is no PostgreSQL URL"),
        ("postgresql://127.0.0.1:port/none", "POSTGRES_DSN: is no PostgreSQL URL"),
        ("EMPTY", "store of routing refuses"),
    ],
)
async def test_an_export_that_failed_says_why_and_leaves_nothing(
    ascolto: Ascolto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dsn: str, told: str
) -> None:
    without_schemas = urlsplit(os.environ["POSTGRES_DSN"])._replace(path="/postgres").geturl()
    monkeypatch.setenv("POSTGRES_DSN", without_schemas if dsn == "EMPTY" else dsn)
    failed = await ascolto("triage", "export", str(tmp_path / "labels.jsonl"))
    assert (isinstance(failed.exception, CommandError), names_in(tmp_path)) == (True, [])
    assert told in str(failed.exception)


async def test_what_a_killed_export_left_does_not_stand_in_the_way(ascolto: Ascolto, tmp_path: Path) -> None:
    await ascolto(*TO_A_QUESTION)
    (tmp_path / "labels.jsonl.part").write_text("half a li")
    assert (await ascolto("triage", "export", str(tmp_path / "labels.jsonl"))).exit_code == 0
    assert len((tmp_path / "labels.jsonl").read_text().splitlines()) == 1
    assert names_in(tmp_path) == ["labels.jsonl"]


async def test_a_file_that_cannot_be_written_is_named(ascolto: Ascolto, tmp_path: Path) -> None:
    failed = await ascolto("triage", "export", str(tmp_path / "nowhere" / "labels.jsonl"))
    assert "labels.jsonl: cannot be written: No such file or directory" in str(failed.exception)


@pytest.mark.parametrize(
    "words",
    [
        (*TO_A_QUESTION, "--etag", "1"),
        (*TO_A_QUESTION, "--request-id", "6a1b2c3d-0000-4000-8000-000000000000"),
        ("triage", "correct", POST, "praise", "--reason", "x"),
        ("triage", "correct", POST, "question", "--kind", "praising", "--reason", "x"),
        ("triage", "correct", POST, "question", "--kind", "praise", "--reason", "x"),
        ("decision", "not-there"),
    ],
)
async def test_what_is_wrong_is_said(ascolto: Ascolto, words: tuple[str, ...]) -> None:
    result = await ascolto(*words)
    assert isinstance(result.exception, CommandError)
