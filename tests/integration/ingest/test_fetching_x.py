"""The filtered stream of X over restarts of both sides: no gap, no repeat, and the rules that the integration wants."""

from contextlib import aclosing

import pytest

from services.ingest.connector import Account
from services.ingest.connectors import x
from services.ingest.fetching.attendance import Listener
from services.ingest.fetching.coverage import Expectation, Missed
from services.ingest.fetching.networks import _x_stream
from services.ingest.fetching.networks.x import open_account
from services.ingest.fetching.source import InvalidConnection, Tools
from tests.integration.ingest.fetched import Told, connection, eventually, fetching, listener, tools
from tests.integration.ingest.servers.web import WebServer, web_server
from tests.integration.ingest.servers.x import TOKEN, X

pytestmark = pytest.mark.integration


def x_listener(server: WebServer, tools: Tools, rules: str = "lumora", token: str = TOKEN) -> Listener:
    source = open_account(connection("x", Account("1", server.url), token, rules=rules), tools)
    return listener(source, Expectation(failing_seconds=60), x.normalize)


async def test_a_stream_is_kept_without_gap_or_repeat_over_restarts_of_both_sides(migrated_dsn: str) -> None:
    network = X()
    async with web_server(network.app) as server, tools(migrated_dsn) as given:
        async with fetching(migrated_dsn, x_listener(server, given)) as fetched:
            await eventually(lambda: network.listeners == 1)
            network.write(1, 2)
            network.keep_alive()
            await fetched.holds("1", "2")
            await server.stop()
            network.write(3, 4, 5)
            await server.start()
            await fetched.holds(*"12345")
        network.write(6)
        async with fetching(migrated_dsn, x_listener(server, given)) as fetched:
            await fetched.holds(*"123456")


async def test_what_a_stream_loses_is_found_by_the_next_look(
    migrated_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_x_stream, "_LOOK_SECONDS", 0.0)
    network = X()
    async with (
        web_server(network.app) as server,
        tools(migrated_dsn) as given,
        fetching(migrated_dsn, x_listener(server, given)) as fetched,
    ):
        await eventually(lambda: network.listeners == 1)
        network.write(1, lost=True)
        network.keep_alive()
        await fetched.holds("1")


async def test_the_rules_are_kept_in_step_and_those_of_others_left_alone(migrated_dsn: str) -> None:
    network = X()
    network.rule("dropped", "ascolto:acme-listening")
    network.rule("foreign", "another-tool")
    async with (
        web_server(network.app) as server,
        tools(migrated_dsn) as given,
        fetching(migrated_dsn, x_listener(server, given, "lumora\nlamp -is:retweet")) as fetched,
    ):
        await eventually(lambda: network.listeners == 1)
        assert network.values == {"foreign", "lumora", "lamp -is:retweet"}
        network.write(1, text="a foreign word")
        network.write(2)
        await fetched.holds("2")


@pytest.mark.parametrize(("token", "refused", "reason"), [("another", "", "AUTH_FAILED"), (TOKEN, "lumora", "CLOSED")])
async def test_what_waiting_does_not_mend_is_a_gap_at_once(
    migrated_dsn: str, token: str, refused: str, reason: str
) -> None:
    network, told = X(), Told()
    network.refused = refused
    async with (
        web_server(network.app) as server,
        tools(migrated_dsn) as given,
        fetching(migrated_dsn, x_listener(server, given, token=token), told=told),
    ):
        await eventually(lambda: told.reasons() == [reason])


async def test_what_search_does_not_reach_back_to_is_told_to_be_missed(migrated_dsn: str) -> None:
    network = X()
    async with web_server(network.app) as server, tools(migrated_dsn) as given:
        long_ago = b'{"heard_until":"2020-01-01T00:00:00Z"}'
        async with aclosing(x_listener(server, given).source.frames(long_ago)) as frames:
            first, then = [await anext(frames) for _ in range(2)]
    assert (first.missed, then.missed, then.complete) == (Missed.CURSOR_OUTDATED, None, True)


async def test_a_rule_that_search_would_not_take_is_refused_before_any_call(migrated_dsn: str) -> None:
    async with tools(migrated_dsn) as given:
        with pytest.raises(InvalidConnection, match="512 characters a rule"):
            open_account(connection("x", Account("1"), TOKEN, rules="x" * 513), given)
