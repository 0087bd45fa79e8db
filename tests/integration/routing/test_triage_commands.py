"""`ascolto triage` and `ascolto decision` against a real server and a real store."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from chassis.postgres import Pool
from cli.app import app
from cli.errors import CommandError
from services.routing.handlers import Projector
from tests.integration.routing.records import facts_of, name_of, unsure
from tests.integration.routing.serving import serving

pytestmark = pytest.mark.integration
Ascolto = Callable[..., Awaitable[Result]]
POST = name_of("p").rpartition("/")[2]


@pytest.fixture
async def ascolto(
    pool: Pool, projector: Projector, migrated_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Ascolto]:
    """The command line of somebody of acme, where one post waits."""
    await projector.handle(facts_of([unsure(native_id="p", text="and now?")]))
    monkeypatch.setenv("ASCOLTO_TENANT", "acme")
    monkeypatch.setenv("POSTGRES_DSN", migrated_dsn)
    monkeypatch.setenv("COLUMNS", "200")
    async with serving(pool) as served:
        monkeypatch.setenv("ASCOLTO_ROUTING_GRPC", f"127.0.0.1:{served.server.port}")
        monkeypatch.setenv("ASCOLTO_ISSUER_URL", served.issuer.url)

        async def run(*words: str) -> Result:
            return await asyncio.to_thread(CliRunner().invoke, app, words)

        yield run


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


async def test_the_export_is_private_and_never_overwrites(ascolto: Ascolto, tmp_path: Path) -> None:
    file = tmp_path / "labels.jsonl"
    await ascolto("triage", "correct", POST, "question", "--kind", "information_request", "--reason", "they ask")
    first, second = await ascolto("triage", "export", str(file)), await ascolto("triage", "export", str(file))
    (line,) = map(json.loads, file.read_text().splitlines())
    assert (line["text"], line["category"], line["kind"]) == ("and now?", "question", "information_request")
    assert (file.stat().st_mode & 0o777, first.exit_code) == (0o600, 0)
    assert "It holds what people wrote" in " ".join(first.output.split())
    assert isinstance(second.exception, CommandError)


@pytest.mark.parametrize(
    "words",
    [
        ("triage", "correct", POST, "praise", "--reason", "x"),
        ("triage", "correct", POST, "question", "--kind", "praising", "--reason", "x"),
        ("triage", "correct", POST, "question", "--kind", "praise", "--reason", "x"),
        ("decision", "not-there"),
    ],
)
async def test_what_is_wrong_is_said(ascolto: Ascolto, words: tuple[str, ...]) -> None:
    result = await ascolto(*words)
    assert isinstance(result.exception, CommandError)
