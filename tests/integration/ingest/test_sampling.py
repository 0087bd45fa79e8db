"""Samples of networks that are fetched, of small servers of their own: what is said now, and nothing kept."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest
from starlette.responses import Response

from contracts.integrations import Integration
from services.ingest import trial
from services.ingest.fetching.coverage import Reason
from services.ingest.fetching.opening import Opener
from services.ingest.fetching.sampling import Sampler
from services.ingest.fetching.source import FetchFailed, Tools
from services.ingest.normalizer import Accepted, Normalizer
from tests.factories import NOW
from tests.integration.ingest.fetched import eventually, tools
from tests.integration.ingest.servers.discord import TOKEN as BOT
from tests.integration.ingest.servers.discord import discord_gateway
from tests.integration.ingest.servers.feed import ChangingFeed
from tests.integration.ingest.servers.imap import PASSWORD, USER, imap_server
from tests.integration.ingest.servers.jetstream import DID, jetstream_server, mention
from tests.integration.ingest.servers.mastodon import TOKEN, Mastodon
from tests.integration.ingest.servers.web import web_server

pytestmark = pytest.mark.integration


def account(network: str, kind: str = "poll", secret: str = "", **fields: Any) -> Integration:
    secrets = [f"plain:{secret}"] if secret else []
    return Integration.model_validate(
        {"id": "acme-it", "tenant": "acme", "kind": kind, "network": network, "secrets": secrets, **fields}
    )


async def native_ids(given: Tools, integration: Integration, seconds: float = 20.0) -> list[str]:
    """What a sample of it would become, in the order of the answer; anything else than posts is a failure."""
    sampler = Sampler(Opener(given, b"k" * 32), seconds=seconds)
    payloads = await sampler(integration, lambda payload: trial.items_in(integration, payload))
    tried = trial.trials(integration, Normalizer(integration, b"k" * 32), payloads, NOW)
    posts = [each for each in tried if isinstance(each, Accepted)]
    assert len(posts) == len(tried)
    return [each.event.message.post.native_id for each in posts]


@asynccontextmanager
async def meanwhile(say: Callable[[], Any]) -> AsyncIterator[None]:
    """Say something again and again, until somebody has listened."""

    async def keep_saying() -> None:
        while True:
            await say()
            await asyncio.sleep(0.1)

    task = asyncio.create_task(keep_saying())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def test_a_feed_gives_its_last_items(migrated_dsn: str) -> None:
    feed = ChangingFeed(items=30)
    feed.add(*(str(number) for number in range(30)))
    async with web_server(feed.app) as server, tools(migrated_dsn) as given:
        found = await native_ids(given, account("rss_atom", url=f"{server.url}/feed"))
    assert len(found) == trial.MAX_TRIALS
    assert len(feed.statuses) == 1


async def test_of_a_mailbox_the_newest_messages_are_read_and_stay_unread(migrated_dsn: str) -> None:
    def mail(number: int) -> bytes:
        head = f"Message-ID: <{number}@example>\r\nDate: Sun, 22 Nov 2026 09:00:{number:02} +0000"
        return f"From: Ada <ada@example>\r\nTo: {USER}\r\n{head}\r\nSubject: Lamp\r\n\r\nIt blinks.\r\n".encode()

    async with imap_server() as server, tools(migrated_dsn) as given:
        server.deliver(*map(mail, range(30)))
        known = account("email", "mailbox", PASSWORD, settings={"server": server.url, "user": USER})
        found = await native_ids(given, known)
        assert len(found) == trial.MAX_TRIALS
        assert found[-1].strip("<>") == "29@example"
        fetched = [each for each in server.commands if each.startswith("UID FETCH")]
    assert len(fetched) == trial.MAX_TRIALS
    assert all("BODY.PEEK" in each for each in fetched)


async def test_an_event_stream_is_listened_to_until_the_time_is_over(migrated_dsn: str) -> None:
    instance = Mastodon()
    instance.mention(1, 2)
    async with web_server(instance.app) as server, tools(migrated_dsn) as given:
        known = account("mastodon", "stream", TOKEN, url=server.url)
        sampling = asyncio.create_task(native_ids(given, known, seconds=2.0))
        await eventually(lambda: instance.listeners == 1)
        instance.mention(3)
        assert set(await sampling) == {"91", "92", "93"}


async def test_jetstream_is_listened_to_until_there_is_enough(migrated_dsn: str) -> None:
    async with jetstream_server() as server, tools(migrated_dsn) as given:
        known = account("bluesky", "stream", account=DID, settings={"url": server.url(v2=True)})
        async with meanwhile(lambda: server.say("1", facets=mention())):
            found = await native_ids(given, known)
    assert len(found) == trial.MAX_TRIALS


async def test_a_bot_listens_in_a_session_of_its_own(migrated_dsn: str) -> None:
    async with discord_gateway() as server, tools(migrated_dsn) as given:
        known = account("discord", "stream", BOT, settings={"gateway": server.url})
        async with meanwhile(lambda: server.say(1)):
            found = await native_ids(given, known)
        assert server.greetings == ["identify"]
    assert len(found) == trial.MAX_TRIALS


async def test_a_stream_in_which_nobody_speaks_answers_all_the_same(migrated_dsn: str) -> None:
    async with jetstream_server() as server, tools(migrated_dsn) as given:
        known = account("bluesky", "stream", account=DID, settings={"url": server.url(v2=True)})
        assert await native_ids(given, known, seconds=0.5) == []


@pytest.mark.parametrize(
    ("status", "reason", "advice"),
    [
        (401, Reason.AUTH_FAILED, "secret that is good"),
        (404, Reason.CLOSED, "check account"),
        (429, Reason.RATE_LIMITED, "wait for 7 s"),
        (503, Reason.UNREACHABLE, "wait for 7 s"),
    ],
)
async def test_a_network_that_refuses_is_told_with_what_to_do(
    migrated_dsn: str, status: int, reason: Reason, advice: str
) -> None:
    feed = ChangingFeed(items=5)
    headers = {"retry-after": "7"} if status > 404 else {}
    feed.broken = Response(status_code=status, headers=headers)
    async with web_server(feed.app) as server, tools(migrated_dsn) as given:
        with pytest.raises(FetchFailed) as failed:
            await native_ids(given, account("rss_atom", url=f"{server.url}/feed"))
    check = trial.not_answered(failed.value)
    assert failed.value.reason is reason
    assert not check.passed
    assert advice in check.detail
    assert str(status) in check.detail


async def test_a_host_that_is_not_there_or_not_public_is_unreachable(migrated_dsn: str) -> None:
    async with tools(migrated_dsn) as given:
        for url in ("http://127.0.0.1:9", "https://10.0.0.1"):
            with pytest.raises(FetchFailed) as failed:
                await native_ids(given, account("rss_atom", url=url))
            assert failed.value.reason is Reason.UNREACHABLE


async def test_who_does_not_answer_is_given_up(migrated_dsn: str) -> None:
    silent = await asyncio.start_server(lambda *_: asyncio.sleep(30), "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    async with tools(migrated_dsn) as given:
        with pytest.raises(FetchFailed, match=r"no answer within 0\.5 s"):
            await native_ids(given, account("rss_atom", url=f"http://127.0.0.1:{port}"), seconds=0.5)
    silent.close()
