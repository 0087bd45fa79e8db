"""A forum's newest posts over restarts of both sides: no gap, no repeat."""

import pytest

from services.ingest.connector import Account
from services.ingest.connectors import discourse
from services.ingest.fetching.attendance import Listener
from services.ingest.fetching.coverage import Expectation
from services.ingest.fetching.networks.discourse import open_posts
from services.ingest.fetching.source import Tools
from tests.integration.ingest.fetched import Told, connection, eventually, fetching, listener, tools
from tests.integration.ingest.servers.discourse import KEY, USER, Discourse
from tests.integration.ingest.servers.web import WebServer, web_server

pytestmark = pytest.mark.integration


def discourse_listener(server: WebServer, tools: Tools, key: str = KEY) -> Listener:
    known = connection("discourse", Account(url=server.url), key, user=USER, every_seconds="0.05")
    return listener(open_posts(known, tools), Expectation(failing_seconds=60), discourse.normalize)


def names(*numbers: int) -> list[str]:
    return [f"9:{number}" for number in numbers]


async def test_posts_are_read_back_to_what_is_known_over_restarts_of_both_sides(migrated_dsn: str) -> None:
    forum = Discourse()
    forum.write(1, 2)
    async with web_server(forum.app) as server, tools(migrated_dsn) as given:
        async with fetching(migrated_dsn, discourse_listener(server, given)) as fetched:
            await fetched.holds(*names(1, 2))
            await server.stop()
            forum.write(*range(3, 130), 290)
            await server.start()
            await fetched.holds(*names(*range(1, 130), 290))
        forum.write(291)
        async with fetching(migrated_dsn, discourse_listener(server, given)) as fetched:
            await fetched.holds(*names(*range(1, 130), 290, 291))


async def test_an_edit_is_a_revision_and_what_is_unchanged_is_no_repeat(migrated_dsn: str) -> None:
    forum = Discourse()
    forum.write(1, 2)
    async with (
        web_server(forum.app) as server,
        tools(migrated_dsn) as given,
        fetching(migrated_dsn, discourse_listener(server, given)) as fetched,
    ):
        await fetched.holds(*names(1, 2))
        forum.write(1, version=2, raw="Why, again?")
        await fetched.holds(*names(1, 1, 2))
        looks = forum.looks
        await eventually(lambda: forum.looks > looks + 2)
        await fetched.holds(*names(1, 1, 2))


async def test_a_key_that_is_refused_is_a_gap_at_once(migrated_dsn: str) -> None:
    forum, told = Discourse(), Told()
    async with (
        web_server(forum.app) as server,
        tools(migrated_dsn) as given,
        fetching(migrated_dsn, discourse_listener(server, given, "another"), told=told),
    ):
        await eventually(lambda: told.reasons() == ["AUTH_FAILED"])
