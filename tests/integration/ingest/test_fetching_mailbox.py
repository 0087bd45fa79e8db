"""A mailbox read by IMAP over restarts of both sides: no gap, no repeat, and nothing in it is changed."""

import pytest

from services.ingest.fetching.attendance import Listener
from services.ingest.fetching.coverage import Expectation
from services.ingest.fetching.networks.email import open_mailbox
from services.ingest.fetching.source import Tools
from tests.integration.ingest.fetched import Told, connection, eventually, fetching, listener, tools
from tests.integration.ingest.servers.imap import PASSWORD, USER, ImapServer, imap_server

pytestmark = pytest.mark.integration
READ_ONLY = ("CAPABILITY", "AUTHENTICATE PLAIN", "EXAMINE", "UID SEARCH", "UID FETCH", "IDLE")


def mailbox_listener(server: ImapServer, tools: Tools, idle_seconds: str = "60") -> Listener:
    given = connection("email", secret=PASSWORD, server=server.url, user=USER, idle_seconds=idle_seconds)
    return listener(open_mailbox(given, tools), Expectation(failing_seconds=0.1))


def mail(number: int) -> bytes:
    return b'{"id": "%d"}' % number


async def begun(server: ImapServer) -> None:
    """The first look is over: from now on, what is delivered is new."""
    await eventually(lambda: "IDLE" in server.commands)


async def test_mail_is_kept_without_gap_or_repeat_over_restarts_of_both_sides(migrated_dsn: str) -> None:
    async with imap_server() as server, tools(migrated_dsn) as given:
        server.deliver(mail(0))
        async with fetching(migrated_dsn, mailbox_listener(server, given)) as fetched:
            await begun(server)
            server.deliver(mail(1), mail(2))
            await fetched.holds("1", "2")
            await server.stop()
            server.deliver(mail(3))
            await server.start()
            await fetched.holds("1", "2", "3")
        server.deliver(*(mail(number) for number in range(4, 50)))
        async with fetching(migrated_dsn, mailbox_listener(server, given)) as fetched:
            await fetched.holds(*(str(number) for number in range(1, 50)))


async def test_nothing_but_reading_is_ever_asked_of_the_server(migrated_dsn: str) -> None:
    async with (
        imap_server() as server,
        tools(migrated_dsn) as given,
        fetching(migrated_dsn, mailbox_listener(server, given, idle_seconds="0.05")) as fetched,
    ):
        await begun(server)
        server.deliver(mail(1))
        await fetched.holds("1")
        await eventually(lambda: server.commands.count("IDLE") > 3)
    spoken = {each for each in server.commands if each != "DONE"}
    assert all(each.startswith(READ_ONLY) for each in spoken)
    assert not any("BODY[" in each for each in spoken), "BODY[] would mark the message as seen"


async def test_mail_that_arrives_while_other_mail_is_read_is_not_slept_upon(migrated_dsn: str) -> None:
    async with (
        imap_server() as server,
        tools(migrated_dsn) as given,
        fetching(migrated_dsn, mailbox_listener(server, given)) as fetched,
    ):
        await begun(server)
        server.arriving = [mail(3), mail(2)]
        server.deliver(mail(1))
        await fetched.holds("1", "2", "3")


async def test_a_server_without_idle_is_asked_again_and_again(migrated_dsn: str) -> None:
    async with (
        imap_server() as server,
        tools(migrated_dsn) as given,
    ):
        server.idles = False
        async with fetching(migrated_dsn, mailbox_listener(server, given, idle_seconds="0.05")) as fetched:
            await eventually(lambda: sum("SEARCH" in each for each in server.commands) > 1)
            server.deliver(mail(1))
            await fetched.holds("1")
    assert "IDLE" not in server.commands


async def test_a_mailbox_that_is_numbered_anew_is_read_again_and_kept_once(migrated_dsn: str) -> None:
    async with (
        imap_server() as server,
        tools(migrated_dsn) as given,
        fetching(migrated_dsn, mailbox_listener(server, given)) as fetched,
    ):
        await begun(server)
        server.deliver(mail(1), mail(2))
        await fetched.holds("1", "2")
        await server.stop()
        server.deliver(mail(3))
        server.renumber()
        await server.start()
        await fetched.holds("1", "2", "3")


async def test_a_wrong_password_is_a_gap_at_once(migrated_dsn: str) -> None:
    told = Told()
    async with imap_server() as server, tools(migrated_dsn) as given:
        server.password = "changed"
        async with fetching(migrated_dsn, mailbox_listener(server, given), told=told):
            await eventually(lambda: told.reasons() == ["AUTH_FAILED"])
            server.password = PASSWORD
            await eventually(lambda: told.reasons() == ["AUTH_FAILED", None])
