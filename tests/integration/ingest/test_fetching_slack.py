"""Channels of Slack and their threads over restarts of both sides: no gap, no repeat."""

import pytest

from services.ingest.connector import Account
from services.ingest.connectors import slack
from services.ingest.fetching.attendance import Listener
from services.ingest.fetching.coverage import Expectation
from services.ingest.fetching.networks.slack import open_channels
from services.ingest.fetching.source import Tools
from tests.integration.ingest.fetched import Told, connection, eventually, fetching, listener, tools
from tests.integration.ingest.servers.slack import TOKEN, Slack, time
from tests.integration.ingest.servers.web import WebServer, web_server

pytestmark = pytest.mark.integration


def slack_listener(server: WebServer, tools: Tools, channels: str = "C1", token: str = TOKEN) -> Listener:
    known = connection("slack", Account(url=server.url), token, channels=channels, every_seconds="0.05")
    return listener(open_channels(known, tools), Expectation(failing_seconds=60), slack.normalize)


def names(*numbers: int, channel: str = "C1") -> list[str]:
    return [f"{channel}:{time(number)}" for number in numbers]


async def test_messages_and_answers_are_kept_without_gap_or_repeat_over_restarts_of_both_sides(
    migrated_dsn: str,
) -> None:
    workspace = Slack()
    workspace.write(1, 2)
    workspace.write(3, 4, thread=2)
    async with web_server(workspace.app) as server, tools(migrated_dsn) as given:
        async with fetching(migrated_dsn, slack_listener(server, given)) as fetched:
            await fetched.holds(*names(1, 2, 3, 4))
            await server.stop()
            workspace.write(*range(5, 20))
            workspace.write(*range(20, 25), thread=2)
            await server.start()
            await fetched.holds(*names(*range(1, 25)))
        workspace.write(25)
        workspace.write(26, thread=25)
        async with fetching(migrated_dsn, slack_listener(server, given)) as fetched:
            await fetched.holds(*names(*range(1, 27)))


async def test_a_thread_is_asked_for_when_it_has_new_answers_alone(migrated_dsn: str) -> None:
    workspace = Slack()
    workspace.write(1)
    workspace.write(2, thread=1)
    async with (
        web_server(workspace.app) as server,
        tools(migrated_dsn) as given,
        fetching(migrated_dsn, slack_listener(server, given)) as fetched,
    ):
        await fetched.holds(*names(1, 2))
        await eventually(lambda: workspace.asked.count("conversations.history") > 4)
        workspace.write(3, thread=1)
        await fetched.holds(*names(1, 2, 3))
    assert workspace.asked.count("conversations.replies") == 2


async def test_a_call_too_many_costs_no_answer(migrated_dsn: str) -> None:
    workspace = Slack()
    workspace.answers, workspace.busy = 2, 3
    workspace.write(1, 2, 3)
    for thread in (1, 2, 3):
        workspace.write(thread + 10, thread=thread)
    async with (
        web_server(workspace.app) as server,
        tools(migrated_dsn) as given,
        fetching(migrated_dsn, slack_listener(server, given)) as fetched,
    ):
        await fetched.holds(*names(1, 2, 3, 11, 12, 13))
    assert workspace.busy == 0


async def test_every_channel_is_read(migrated_dsn: str) -> None:
    workspace = Slack()
    workspace.write(1)
    workspace.write(2, channel="D2")
    async with (
        web_server(workspace.app) as server,
        tools(migrated_dsn) as given,
        fetching(migrated_dsn, slack_listener(server, given, "C1, D2")) as fetched,
    ):
        await fetched.holds(*names(1), *names(2, channel="D2"))


@pytest.mark.parametrize(("channels", "token", "reason"), [("C1", "another", "AUTH_FAILED"), ("C404", TOKEN, "CLOSED")])
async def test_what_slack_refuses_in_a_body_is_a_gap_at_once(
    migrated_dsn: str, channels: str, token: str, reason: str
) -> None:
    told = Told()
    async with (
        web_server(Slack().app) as server,
        tools(migrated_dsn) as given,
        fetching(migrated_dsn, slack_listener(server, given, channels, token), told=told),
    ):
        await eventually(lambda: told.reasons() == [reason])
