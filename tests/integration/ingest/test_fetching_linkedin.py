"""The notifications of an organization on LinkedIn over restarts of both sides: no gap, no repeat."""

from datetime import timedelta

import pytest

from services.ingest.connector import Account
from services.ingest.connectors import linkedin
from services.ingest.fetching.attendance import Listener
from services.ingest.fetching.coverage import Expectation
from services.ingest.fetching.networks.linkedin import open_notifications
from services.ingest.fetching.source import Tools
from tests.integration.ingest.fetched import Told, connection, eventually, fetching, listener, tools
from tests.integration.ingest.servers.linkedin import TOKEN, LinkedIn
from tests.integration.ingest.servers.web import WebServer, web_server

pytestmark = pytest.mark.integration


def linkedin_listener(server: WebServer, tools: Tools, token: str = TOKEN) -> Listener:
    known = connection("linkedin", Account("5", server.url), token, every_seconds="0.05")
    return listener(open_notifications(known, tools), Expectation(failing_seconds=60), linkedin.normalize)


def names(*numbers: int) -> list[str]:
    return [f"urn:li:comment:(urn:li:activity:9,{number})" for number in numbers]


async def test_notifications_are_kept_without_gap_or_repeat_over_restarts_of_both_sides(migrated_dsn: str) -> None:
    network = LinkedIn()
    network.comment(0, age=timedelta(days=2))
    network.comment(1, 2)
    async with web_server(network.app) as server, tools(migrated_dsn) as given:
        async with fetching(migrated_dsn, linkedin_listener(server, given)) as fetched:
            await fetched.holds(*names(1, 2))
            await server.stop()
            network.comment(*range(3, 250))
            await server.start()
            await fetched.holds(*names(*range(1, 250)))
        network.comment(250)
        async with fetching(migrated_dsn, linkedin_listener(server, given)) as fetched:
            await fetched.holds(*names(*range(1, 251)))


async def test_a_notification_that_comes_late_is_found(migrated_dsn: str) -> None:
    network = LinkedIn()
    network.comment(1)
    async with (
        web_server(network.app) as server,
        tools(migrated_dsn) as given,
        fetching(migrated_dsn, linkedin_listener(server, given)) as fetched,
    ):
        await fetched.holds(*names(1))
        network.comment(2, age=timedelta(minutes=5))
        await fetched.holds(*names(1, 2))


async def test_a_token_that_is_refused_is_a_gap_at_once(migrated_dsn: str) -> None:
    told = Told()
    async with (
        web_server(LinkedIn().app) as server,
        tools(migrated_dsn) as given,
        fetching(migrated_dsn, linkedin_listener(server, given, "another"), told=told),
    ):
        await eventually(lambda: told.reasons() == ["AUTH_FAILED"])
