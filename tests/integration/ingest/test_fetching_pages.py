"""An API with tokens, pages and a quota, over restarts of both sides: no gap, no repeat, never a request too many."""

import json

import pytest

from chassis.clock import utc_now
from services.ingest.connector import Account
from services.ingest.connectors import reddit
from services.ingest.fetching.attendance import Listener
from services.ingest.fetching.coverage import Expectation, Missed
from services.ingest.fetching.networks.reddit import open_listings
from services.ingest.fetching.source import Tools
from tests.integration.ingest.fetched import Told, connection, eventually, fetching, listener, tools
from tests.integration.ingest.servers.reddit import CREDENTIALS, Reddit
from tests.integration.ingest.servers.web import WebServer, web_server

pytestmark = pytest.mark.integration


def reddit_listener(server: WebServer, tools: Tools) -> Listener:
    account = Account(url=server.url)
    options = {"token_url": f"{server.url}/token", "every_seconds": "0.05"}
    source = open_listings(connection("reddit", account, json.dumps(CREDENTIALS), **options), tools)
    return listener(source, Expectation(failing_seconds=60), reddit.normalize)


def names(*numbers: int) -> list[str]:
    return [f"t1_{number}" for number in numbers]


async def test_pages_are_read_back_to_what_is_known_over_restarts_of_both_sides(migrated_dsn: str) -> None:
    site = Reddit()
    site.write(*range(1, 9))
    async with web_server(site.app) as server, tools(migrated_dsn) as given:
        async with fetching(migrated_dsn, reddit_listener(server, given)) as fetched:
            await fetched.holds(*names(4, 5, 6, 7, 8))
            await server.stop()
            site.write(*range(9, 40))
            await server.start()
            await fetched.holds(*names(*range(4, 40)))
        site.write(*range(40, 60))
        site.things.remove(next(each for each in site.things if each["data"]["name"] == "t1_39"))
        async with fetching(migrated_dsn, reddit_listener(server, given)) as fetched:
            await fetched.holds(*names(*range(4, 60)))


async def test_the_first_look_leaves_history_alone_and_later_ones_what_is_known(migrated_dsn: str) -> None:
    site = Reddit()
    site.write(*range(1, 30))
    async with (
        web_server(site.app) as server,
        tools(migrated_dsn) as given,
        fetching(migrated_dsn, reddit_listener(server, given)) as fetched,
    ):
        await fetched.holds(*names(*range(25, 30)))
        await eventually(lambda: len(site.asked_for) > 5)
        site.write(30)
        await fetched.holds(*names(*range(25, 31)))
    assert set(site.asked_for) == {None}


async def test_more_than_a_listing_holds_is_a_gap_between_the_two_looks(migrated_dsn: str) -> None:
    site, told = Reddit(), Told()
    site.write(1)
    async with web_server(site.app) as server, tools(migrated_dsn) as given:
        async with fetching(migrated_dsn, reddit_listener(server, given), told=told) as fetched:
            await fetched.holds("t1_1")
            await fetched.remembers()
        left_at = utc_now()
        site.write(*range(2, 80))
        async with fetching(migrated_dsn, reddit_listener(server, given), told=told) as fetched:
            await fetched.holds("t1_1", *names(*range(30, 80)))
            await eventually(lambda: len(told.gaps) == 1)
    (gap,) = told.gaps
    assert gap.reason is Missed.LISTING_TOO_LONG
    assert gap.since <= left_at <= gap.until


async def test_a_quota_that_is_told_is_never_exceeded(migrated_dsn: str) -> None:
    site = Reddit(quota=3)
    site.write(1)
    async with (
        web_server(site.app) as server,
        tools(migrated_dsn) as given,
        fetching(migrated_dsn, reddit_listener(server, given)) as fetched,
    ):
        await fetched.holds("t1_1")
        site.write(*range(2, 40))
        await fetched.holds(*names(*range(1, 40)))
    assert site.over_quota == 0


async def test_a_token_that_was_revoked_is_replaced(migrated_dsn: str) -> None:
    site, told = Reddit(), Told()
    site.write(1)
    async with (
        web_server(site.app) as server,
        tools(migrated_dsn) as given,
        fetching(migrated_dsn, reddit_listener(server, given), told=told) as fetched,
    ):
        await fetched.holds("t1_1")
        site.revoke()
        site.write(2)
        await fetched.holds("t1_1", "t1_2")
