"""`ascolto integrations` against a running ingest: what a person at the keyboard does, from adding to disabling."""

import asyncio
import json
import sys
from asyncio.subprocess import PIPE
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from chassis.dev_issuer import DevIssuer
from tests.integration.ingest.running import Running
from tests.integration.ingest.servers.feed import ChangingFeed
from tests.integration.ingest.servers.web import web_server

pytestmark = pytest.mark.integration
ROOT = Path(__file__).parents[3]
SECRET = "a-secret-of-the-environment"


class Ended(NamedTuple):
    """How a command ended, and what it said."""

    code: int
    out: str
    err: str


class Keyboard:
    def __init__(self, hook: str) -> None:
        self.hook = hook

    async def run(self, *words: str) -> Ended:
        command = (sys.executable, "-c", "from cli.app import main; main()", "integrations", *words)
        process = await asyncio.create_subprocess_exec(*command, cwd=ROOT, stdout=PIPE, stderr=PIPE)
        out, err = await process.communicate()
        return Ended(process.returncode or 0, out.decode(), err.decode())

    async def told(self, *words: str) -> list[dict[str, Any]]:
        ended = await self.run(*words, "--json")
        assert ended.code == 0, ended.err
        assert SECRET not in ended.out
        return [json.loads(line) for line in ended.out.splitlines()]

    async def add(self, *words: str) -> dict[str, Any]:
        given = ("--network", "telegram", "--account", "99", "--secret", "env:TELEGRAM_TOKEN")
        (added,) = await self.told("add", self.hook, *given, *words)
        return added


@pytest.fixture
def keyboard(ingest: Running, issuer: DevIssuer, monkeypatch: pytest.MonkeyPatch) -> Keyboard:
    monkeypatch.setenv("ASCOLTO_INGEST_GRPC", ingest.grpc_target)
    monkeypatch.setenv("ASCOLTO_TENANT", ingest.account.tenant)
    monkeypatch.setenv("ASCOLTO_TOKEN", issuer.mint("ann", ingest.account.tenant, ["engineer"]))
    monkeypatch.setenv("TELEGRAM_TOKEN", SECRET)
    return Keyboard(f"{ingest.account.tenant}-tg")


async def test_from_adding_to_disabling(ingest: Running, keyboard: Keyboard) -> None:
    added = await keyboard.add("--own-author", "@lumora", "--setting", "a=b")
    assert (added["kind"], added["own_authors"], added["settings"]) == (
        "INTEGRATION_KIND_WEBHOOK",
        ["@lumora"],
        {"a": "b"},
    )
    headers = {"x-telegram-bot-api-secret-token": SECRET}
    answer = await ingest.http.post(f"/v1/hooks/{keyboard.hook}", content=b'{"poll": {}}', headers=headers)
    assert answer.json()["ignored"] == {"NO_POST": 1}
    (rotated,) = await keyboard.told("rotate", keyboard.hook, "--secret", "plain:the-next")
    assert rotated["secret_count"] == 2
    (disabled,) = await keyboard.told("disable", keyboard.hook)
    assert "disable_time" in disabled
    listed = {each["name"].rpartition("/")[2]: each for each in await keyboard.told("list")}
    assert listed[keyboard.hook] == disabled
    assert "disable_time" not in (await keyboard.told("enable", keyboard.hook))[0]


async def test_payloads_are_tried_dry(ingest: Running, keyboard: Keyboard, tmp_path: Path) -> None:
    await keyboard.add()
    payload = tmp_path / "update.json"
    payload.write_text('{"message": {"message_id": 1, "date": 1, "text": "Hi", "chat": {"id": 7}, "from": {"id": 7}}}')
    (answer,) = await keyboard.told("test", keyboard.hook, "--payload", str(payload), "--dry-run")
    assert all(check["passed"] for check in answer["checks"])
    assert answer["trials"][0]["post"]["post"]["utterance"]["text"] == "Hi"
    assert await ingest.rows() == []
    for_people = await keyboard.run("test", keyboard.hook, "--payload", str(payload), "--dry-run")
    assert "a post" in for_people.out


async def test_a_network_is_asked_dry(keyboard: Keyboard) -> None:
    feed = ChangingFeed(items=5)
    feed.add("1")
    async with web_server(feed.app) as server:
        given = ("--network", "rss_atom", "--url", f"{server.url}/feed", "--own-author", "@lumora")
        await keyboard.told("add", keyboard.hook, *given)
        shown = await keyboard.run("test", keyboard.hook, "--dry-run")
        await server.stop()
        away = await keyboard.run("test", keyboard.hook, "--dry-run")
    assert (shown.code, away.code) == (0, 1)
    assert "About 1" in shown.out
    assert "not well: network" in away.err


async def test_who_is_delivered_to_is_tried_with_payloads(keyboard: Keyboard) -> None:
    await keyboard.add()
    ended = await keyboard.run("test", keyboard.hook, "--dry-run")
    assert ended.code == 1
    assert "NOTHING_TO_FETCH" in ended.err


async def test_a_refusal_says_what_to_do(keyboard: Keyboard) -> None:
    unsigned = await keyboard.run("add", keyboard.hook, "--network", "telegram")
    unknown = await keyboard.run("test", "nobody")
    assert (unsigned.code, unknown.code) == (1, 1)
    assert "needs one or two secrets" in unsigned.err
    assert "There is no" in unknown.err


async def test_a_check_that_does_not_pass_ends_with_an_error(keyboard: Keyboard) -> None:
    await keyboard.add("--account", "")
    ended = await keyboard.run("test", keyboard.hook)
    assert ended.code == 1
    assert "not well: account" in ended.err
