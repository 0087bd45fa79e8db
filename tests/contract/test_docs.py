"""The documentation says what the code does: whatever is named in one stands in the other."""

import argparse
import asyncio
import json
import re
import shlex
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Final
from uuid import UUID

import pytest
from google.protobuf import descriptor, descriptor_pool, json_format
from google.protobuf.message_factory import GetMessageClass
from typer._click.exceptions import UsageError
from typer.core import TyperGroup
from typer.main import get_command

from ascolto.approvals.v1 import approval_service_pb2
from ascolto.ingest.v1 import ingest_service_pb2, integrations_service_pb2
from ascolto.insights.v1 import insights_service_pb2
from ascolto.routing.v1 import routing_service_pb2
from chassis.clock import utc_now
from chassis.http_server import HttpSettings, serve_http
from chassis.lifecycle import runner
from chassis.problems import Problem as AnyProblem
from chassis.settings import EXIT_CONFIGURATION
from cli.app import app
from cli.ledger.balance import Ledger
from cli.pages import PAGES as RENDERED
from cli.project import PROJECT, WITH_STORE, migrations_of
from cli.settings import Addresses, alias_of
from contracts.integrations import load_integrations
from contracts.topics import TOPICS
from local.__main__ import status
from services.ingest import chat, hooks, web
from services.ingest.accept import Receipt
from services.ingest.chatbody import ChatMessage, parse_chat
from services.ingest.fetching import coverage
from services.ingest.normalizer import Accepted
from services.ingest.refusals import Problem
from services.ingest.settings import ChatSettings
from services.ingest.sources import build_sources
from services.responder.facts import StaleReason
from services.responder.turn import NotDueReason
from services.responder.web import ROUTE as MESSAGES_ROUTE
from services.responder.web import ChatProblem
from services.routing.reclassification.refusals import Refusal
from tests.contract import codes
from tests.contract.pages import DOCS, PAGES, anchors, blocks, first_codes, links, page_id, prose, rows, section, spans

ERRORS: Final = (DOCS / "errors.md").read_text()
API: Final = (DOCS / "api.md").read_text()
OPERATING: Final = (DOCS / "operating.md").read_text()
SERVICES: Final = (
    ingest_service_pb2.DESCRIPTOR.services_by_name["IngestService"],
    integrations_service_pb2.DESCRIPTOR.services_by_name["IntegrationsService"],
    routing_service_pb2.DESCRIPTOR.services_by_name["RoutingService"],
    approval_service_pb2.DESCRIPTOR.services_by_name["ApprovalService"],
    insights_service_pb2.DESCRIPTOR.services_by_name["InsightsService"],
)
every_page = pytest.mark.parametrize("page", PAGES, ids=page_id)


def _commands(text: str) -> Iterator[list[str]]:
    """The command lines of `ascolto` that a page shows."""
    lines = [line for block in blocks(text, "console") for line in block.splitlines()]
    for line in (*lines, *spans(text)):
        words = shlex.split(line, comments=True) if re.match(r"(\.venv/bin/)?ascolto ", line) else []
        if words:
            yield words[1:]


def _tables() -> set[str]:
    """Every table of every service."""
    sql = {
        service: "".join(file.read_text() for file in migrations_of(service).glob("*.sql")) for service in WITH_STORE
    }
    return {f"{service}.{name}" for service, text in sql.items() for name in re.findall(r"create table (\w+)", text)}


@pytest.mark.parametrize(
    ("heading", "expected"),
    [
        ("HTTP: ingest", {problem.name for problem in Problem}),
        ("HTTP: responder", {problem.name for problem in ChatProblem}),
        ("gRPC", codes.grpc_reasons()),
        ("Dead letters", codes.dead_letter_codes()),
        ("Why a reply failed or is unresolved", codes.delivery_codes()),
        ("Why a draft became stale", {reason.value for reason in StaleReason}),
        ("Why a post gets no answer", {reason.value for reason in NotDueReason}),
        ("Why a re-classification is refused", {refusal.value for refusal in Refusal}),
        ("Why an account does not hear", {reason.name for reason in (*coverage.Reason, *coverage.Missed)}),
    ],
)
def test_the_page_of_errors_explains_every_code_and_no_other(heading: str, expected: set[str]) -> None:
    told = first_codes(section(ERRORS, heading))
    assert len(told) == len(set(told))
    assert set(told) == expected


@pytest.mark.parametrize(("heading", "problems"), [("HTTP: ingest", Problem), ("HTTP: responder", ChatProblem)])
def test_the_page_of_errors_gives_each_problem_its_status(heading: str, problems: type[AnyProblem]) -> None:
    told = {row[0].strip("`"): row[1] for row in rows(section(ERRORS, heading))}
    assert told == {problem.name: str(problem.status) for problem in problems}


def test_the_page_of_errors_explains_every_exit_code(tmp_path: Path) -> None:
    not_ready = status(argparse.Namespace(root=tmp_path))
    of_processes = {runner.EXIT_CLEAN, runner.EXIT_CRASH, EXIT_CONFIGURATION, not_ready}
    usage_error = 2  # of the command line's library
    expected = {str(code) for code in of_processes | {usage_error}} | {"128+n"}
    assert {row[0].strip("`") for row in rows(section(ERRORS, "Exit codes"))} == expected


def test_the_page_of_errors_reads_the_ledger() -> None:
    told = set(spans(section(ERRORS, "The ledger does not balance")))
    assert {"lost", "doubled", "in_flight", "dead_lettered", "lost_events", "doubled_by_kind"} <= told
    assert {"lost", "doubled", "in_flight", "dead_lettered"} <= Ledger.__dataclass_fields__.keys()


@every_page
def test_every_link_leads_somewhere(page: Path) -> None:
    for target in links(page.read_text()):
        file, _, anchor = target.partition("#")
        path = (page.parent / file).resolve() if file else page
        assert path.exists(), target
        assert not anchor or anchor in anchors(path.read_text()), target


@every_page
def test_every_make_target_exists(page: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    text = page.read_text()
    named = re.findall(r"^make ([a-z-]+)", "\n".join([*blocks(text), *spans(text)]), re.MULTILINE)
    assert set(named) <= targets


def _parse(line: list[str]) -> None:
    """Let the command line read `line` without running it; raises where it does not understand."""
    command, words = get_command(app), line
    while isinstance(command, TyperGroup) and words:
        command, words = command.commands[words[0]], words[1:]
    if not isinstance(command, TyperGroup):
        command.make_context(command.name, words)


@every_page
def test_every_command_line_is_understood(page: Path) -> None:
    for line in _commands(page.read_text()):
        _parse(line)


@pytest.mark.parametrize("line", [["drats", "list"], ["ledger", "--al"], ["drafts", "show"]])
def test_a_command_line_that_is_wrong_is_not_understood(line: list[str]) -> None:
    with pytest.raises((KeyError, UsageError)):
        _parse(line)


def test_the_readme_shows_commands() -> None:
    shown = {tuple(words[:1]) for words in _commands((PROJECT / "README.md").read_text())}
    assert {("drafts",), ("insights",), ("ledger",), ("dlq",)} <= shown


@cache
def _python_files() -> frozenset[str]:
    """The project's modules, each with a slash before its path."""
    found = (path.relative_to(PROJECT).as_posix() for path in PROJECT.glob("[a-z]*/**/*.py"))
    return frozenset(f"/{path}" for path in found)


@every_page
def test_every_file_that_is_named_exists(page: Path) -> None:
    named = [span for span in spans(page.read_text()) if re.fullmatch(r"[\w/.]+\.py", span)]
    assert [name for name in named if not any(path.endswith(f"/{name}") for path in _python_files())] == []


@pytest.mark.parametrize("page", RENDERED, ids=page_id)
def test_a_rendered_page_is_current(page: Path) -> None:
    assert page.read_text() == RENDERED[page](), "write it anew: python -m cli.pages"


def test_every_topic_stands_in_the_page_of_topics() -> None:
    told = set(first_codes((DOCS / "topics.md").read_text()))
    assert told == {topic.name for topic in TOPICS}


def test_every_word_of_the_glossary_is_used() -> None:
    words = [word for row in rows((DOCS / "glossary.md").read_text()) for word in re.findall(r"\*\*(.+?)\*\*", row[0])]
    sources = [path for kind in ("*.py", "*.proto", "*.sql") for path in PROJECT.glob(f"[cps]*/**/{kind}")]
    others = [page for page in PAGES if page.name != "glossary.md"]
    used = " ".join(path.read_text() for path in (*sources, *others)).lower().replace("_", " ")
    assert len(words) > 30
    assert [word for word in words if not re.search(rf"\b{word}", used)] == []


def test_the_guide_for_operators_names_every_metric() -> None:
    assert set(first_codes(section(OPERATING, "Metrics"))) == codes.metric_names()


def test_the_guide_for_operators_names_every_table() -> None:
    assert set(first_codes(section(OPERATING, "Backups"))) == _tables()


def test_the_guide_for_operators_names_what_the_command_line_reads() -> None:
    variables = {alias_of(name) for name in Addresses.model_fields}
    assert set(first_codes(section(OPERATING, "The command line"))) == variables


def test_the_guide_to_the_api_names_every_call() -> None:
    methods = {f"{service.full_name}/{method.name}" for service in SERVICES for method in service.methods}
    assert {code for code in first_codes(API) if "/" in code} == methods


@pytest.mark.parametrize("route", [hooks.ROUTE, chat.ROUTE, MESSAGES_ROUTE])
def test_the_guide_to_the_api_names_every_route(route: str) -> None:
    assert f"{route}`" in prose(API)


def _grpcurls() -> list[Sequence[str]]:
    console = "\n".join(blocks(API, "console")).replace("\\\n", " ")
    return [shlex.split(line) for line in console.splitlines() if line.startswith("grpcurl ")]


@pytest.mark.parametrize("words", _grpcurls(), ids=lambda words: words[-1].rpartition("/")[2])
def test_a_grpcurl_of_the_guide_asks_for_what_there_is(words: Sequence[str]) -> None:
    service, _, method = words[-1].partition("/")
    found: descriptor.MethodDescriptor = descriptor_pool.Default().FindServiceByName(service).methods_by_name[method]
    json_format.Parse(words[words.index("-d") + 1], GetMessageClass(found.input_type)())


def test_the_chat_message_of_the_guide_is_one() -> None:
    (body,) = re.findall(r"v1/chat/lumora-chat -d '([^']+)'", API)
    assert isinstance(parse_chat(body.encode()), ChatMessage)


class _AcceptAll:
    """Takes every post, and keeps what it was given."""

    def __init__(self) -> None:
        self.posts: list[Accepted] = []

    async def accept(self, posts: Sequence[Accepted]) -> Receipt:
        self.posts += posts
        return Receipt([post.event.metadata.event_id for post in posts], list[UUID]())


async def test_the_webhook_of_the_guide_is_accepted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    sources = build_sources(load_integrations(PROJECT / "config" / "integrations.toml"), bytes(32))
    acceptor = _AcceptAll()
    ingest = web.build_app(lambda: sources, acceptor, utc_now, ChatSettings(profile="local"))
    (program,) = blocks(API, "python")
    async with serve_http(ingest, HttpSettings(port=0)) as server:
        told = {"ASCOLTO_INGEST_URL": f"http://{server.host}:{server.port}"}
        (tmp_path / ".local" / "demo").mkdir(parents=True)
        (tmp_path / ".local" / "demo" / "deployment.json").write_text(json.dumps(told))
        monkeypatch.chdir(tmp_path)
        await asyncio.to_thread(exec, compile(program, "docs/api.md", "exec"), {})
    assert "200 {'accepted': [" in capsys.readouterr().out
    assert [post.event.message.post.native_id for post in acceptor.posts] == ["42"]
