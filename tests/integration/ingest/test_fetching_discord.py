"""The gateway of Discord over restarts of both sides: sessions are taken up again, without gap or repeat."""

import pytest

from services.ingest.connectors import discord
from services.ingest.fetching.attendance import Listener
from services.ingest.fetching.coverage import Expectation, Missed
from services.ingest.fetching.networks.discord import open_gateway
from services.ingest.fetching.source import Tools
from tests.integration.ingest.fetched import Told, connection, eventually, fetching, listener, tools
from tests.integration.ingest.servers.discord import TOKEN, Gateway, discord_gateway

pytestmark = pytest.mark.integration


def discord_listener(server: Gateway, tools: Tools, token: str = TOKEN, channels: str = "") -> Listener:
    source = open_gateway(connection("discord", None, token, gateway=server.url, channels=channels), tools)
    return listener(source, Expectation(failing_seconds=60), discord.normalize)


async def test_a_session_is_taken_up_again_without_gap_or_repeat(migrated_dsn: str) -> None:
    async with discord_gateway() as server, tools(migrated_dsn) as given:
        async with fetching(migrated_dsn, discord_listener(server, given)) as fetched:
            await eventually(lambda: server.greetings == ["identify"])
            await server.say(1)
            await fetched.holds("1")
            await server.stop()
            await server.say(2)
            await server.start()
            await fetched.holds("1", "2")
            await server.reconnect()
            await eventually(lambda: len(server.greetings) == 3)
        await server.say(3)
        async with fetching(migrated_dsn, discord_listener(server, given)) as fetched:
            await fetched.holds("1", "2", "3")
    assert set(server.greetings[1:]) == {"resume"}


async def test_a_session_that_has_ended_is_followed_by_a_new_one_and_leaves_a_gap(migrated_dsn: str) -> None:
    told = Told()
    async with (
        discord_gateway() as server,
        tools(migrated_dsn) as given,
        fetching(migrated_dsn, discord_listener(server, given), told=told) as fetched,
    ):
        await eventually(lambda: server.greetings == ["identify"])
        await server.say(1)
        await fetched.holds("1")
        server.forget()
        await server.stop()
        await server.start()
        await eventually(lambda: server.greetings[-2:] == ["resume", "identify"])
        await server.say(2)
        await fetched.holds("1", "2")
    assert [each.reason for each in told.gaps] == [Missed.SESSION_ENDED]


async def test_a_connection_that_answers_no_sign_of_life_is_left(migrated_dsn: str) -> None:
    async with (
        discord_gateway() as server,
        tools(migrated_dsn) as given,
        fetching(migrated_dsn, discord_listener(server, given)),
    ):
        await eventually(lambda: server.beats > 2)
        assert server.greetings == ["identify"]
        server.answers_beats = False
        await eventually(lambda: server.greetings[:2] == ["identify", "resume"])


async def test_only_the_channels_that_are_wanted_are_heard(migrated_dsn: str) -> None:
    async with (
        discord_gateway() as server,
        tools(migrated_dsn) as given,
        fetching(migrated_dsn, discord_listener(server, given, channels="5, 6")) as fetched,
    ):
        await eventually(lambda: server.greetings == ["identify"])
        await server.say(1, channel="4")
        await server.say(2, channel="6")
        await fetched.holds("2")


async def test_a_wrong_token_is_a_gap_at_once(migrated_dsn: str) -> None:
    told = Told()
    async with (
        discord_gateway() as server,
        tools(migrated_dsn) as given,
        fetching(migrated_dsn, discord_listener(server, given, "another"), told=told),
    ):
        await eventually(lambda: told.reasons() == ["AUTH_FAILED"])
