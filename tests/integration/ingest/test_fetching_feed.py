"""A feed that changes, read over restarts of both sides: no gap, no repeat, no needless download."""

import itertools

import pytest
from starlette.responses import Response

from services.ingest.fetching.attendance import Listener
from services.ingest.fetching.coverage import Expectation
from services.ingest.fetching.networks.rss_atom import open_feed
from services.ingest.fetching.source import Tools
from tests.integration.ingest.fetched import Told, connection, eventually, fetching, listener, tools
from tests.integration.ingest.servers.feed import ChangingFeed
from tests.integration.ingest.servers.web import WebServer, web_server

pytestmark = pytest.mark.integration


def feed_listener(server: WebServer, tools: Tools, **expectation: float) -> Listener:
    source = open_feed(connection("rss_atom", url=f"{server.url}/feed", every_seconds="0.05"), tools)
    return listener(source, Expectation(**expectation))


async def test_a_feed_is_kept_without_gap_or_repeat_over_restarts_of_both_sides(migrated_dsn: str) -> None:
    feed = ChangingFeed(items=5)
    async with web_server(feed.app) as server, tools(migrated_dsn) as given:
        feed.add("1", "2")
        async with fetching(migrated_dsn, feed_listener(server, given)) as fetched:
            await fetched.holds("1", "2")
            await server.stop()
            feed.add("3")
            await server.start()
            await fetched.holds("1", "2", "3")
        feed.add("4")
        async with fetching(migrated_dsn, feed_listener(server, given)) as fetched:
            await fetched.holds("1", "2", "3", "4")


async def test_an_unchanged_feed_is_not_sent_again_even_after_a_restart(migrated_dsn: str) -> None:
    feed = ChangingFeed(items=5)
    feed.add("1")
    async with web_server(feed.app) as server, tools(migrated_dsn) as given:
        for _ in range(2):
            wanted = len(feed.statuses) + 4
            async with fetching(migrated_dsn, feed_listener(server, given)) as fetched:
                await eventually(lambda wanted=wanted: len(feed.statuses) >= wanted)  # type: ignore[misc]
                await fetched.holds("1")
    assert feed.statuses[0] == 200
    assert set(feed.statuses[1:]) == {304}


@pytest.mark.parametrize(
    ("status", "reason"), [(401, "AUTH_FAILED"), (410, "CLOSED"), (429, "RATE_LIMITED"), (503, "UNREACHABLE")]
)
async def test_a_feed_that_fails_is_a_gap_until_it_answers_again(migrated_dsn: str, status: int, reason: str) -> None:
    feed, told = ChangingFeed(items=5), Told()
    feed.broken = Response(status_code=status, headers={"retry-after": "0"})
    async with web_server(feed.app) as server, tools(migrated_dsn) as given:
        one = feed_listener(server, given, failing_seconds=0.1)
        async with fetching(migrated_dsn, one, told=told) as fetched:
            await eventually(lambda: len(told.changes) >= 1)
            feed.broken = None
            feed.add("1")
            await fetched.holds("1")
            await eventually(lambda: len(told.changes) >= 2)
    assert told.reasons() == [reason, None]


async def test_a_feed_that_nobody_writes_into_becomes_silent(migrated_dsn: str) -> None:
    feed, told = ChangingFeed(items=5), Told()
    feed.add("1")
    async with (
        web_server(feed.app) as server,
        tools(migrated_dsn) as given,
        fetching(migrated_dsn, feed_listener(server, given, silence_seconds=0.3), told=told) as fetched,
    ):
        await fetched.holds("1")
        await eventually(lambda: told.reasons() == ["SILENT"])
        words = map(str, itertools.count(2))

        def is_heard_again() -> bool:
            feed.add(next(words))  # again with each look: between a word and the next look it may be silent anew
            return told.reasons()[:2] == ["SILENT", None]

        await eventually(is_heard_again)
