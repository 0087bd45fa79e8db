"""Event streams and WebSockets over restarts of both sides: no gap, no repeat, and nothing that is said to others."""

import json
from collections.abc import Sequence

import pytest

from chassis.clock import utc_now
from services.ingest.connector import Account
from services.ingest.connectors import bluesky, mastodon
from services.ingest.fetching import streaming
from services.ingest.fetching.attendance import Listener
from services.ingest.fetching.coverage import Expectation, Missed
from services.ingest.fetching.networks.bluesky import open_jetstream
from services.ingest.fetching.networks.mastodon import open_stream
from services.ingest.fetching.source import Tools
from tests.integration.ingest.fetched import Told, connection, eventually, fetching, listener, tools
from tests.integration.ingest.servers.jetstream import DID, Jetstream, jetstream_server
from tests.integration.ingest.servers.jetstream import mention as mention_of
from tests.integration.ingest.servers.mastodon import TOKEN, Mastodon, status
from tests.integration.ingest.servers.web import WebServer, web_server

pytestmark = pytest.mark.integration
PATIENT = Expectation(failing_seconds=60)


def mastodon_listener(server: WebServer, tools: Tools, token: str = TOKEN) -> Listener:
    source = open_stream(connection("mastodon", Account(url=server.url), token), tools)
    return listener(source, PATIENT, mastodon.normalize)


def bluesky_listener(server: Jetstream, tools: Tools, *, v2: bool) -> Listener:
    source = open_jetstream(connection("bluesky", Account(id=DID), url=server.url(v2=v2)), tools)
    return listener(source, PATIENT, bluesky.normalize, DID)


def uris(keys: Sequence[str], did: str = "did:plc:ada") -> list[str]:
    return [f"at://{did}/app.bsky.feed.post/{key}" for key in keys]


async def test_an_event_stream_is_kept_without_gap_or_repeat_over_restarts_of_both_sides(migrated_dsn: str) -> None:
    instance = Mastodon()
    async with web_server(instance.app) as server, tools(migrated_dsn) as given:
        async with fetching(migrated_dsn, mastodon_listener(server, given)) as fetched:
            await eventually(lambda: instance.listeners == 1)
            instance.mention(1, 2)
            await fetched.holds("91", "92")
            await server.stop()
            instance.mention(*range(3, 100))
            await server.start()
            await fetched.holds(*(f"9{number}" for number in range(1, 100)))
        instance.mention(100)
        async with fetching(migrated_dsn, mastodon_listener(server, given)) as fetched:
            await fetched.holds(*(f"9{number}" for number in range(1, 101)))


async def test_a_stream_that_falls_silent_is_opened_anew_and_what_it_lost_is_read(
    migrated_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streaming, "SILENCE_SECONDS", 0.3)
    instance = Mastodon()
    async with (
        web_server(instance.app) as server,
        tools(migrated_dsn) as given,
        fetching(migrated_dsn, mastodon_listener(server, given)) as fetched,
    ):
        await eventually(lambda: instance.listeners == 1)
        instance.mention(1)
        await fetched.holds("91")
        instance.mention(2, lost=True)
        await fetched.holds("91", "92")


async def test_of_a_timeline_only_edits_and_deletions_of_known_posts_are_kept(migrated_dsn: str) -> None:
    instance = Mastodon()
    async with (
        web_server(instance.app) as server,
        tools(migrated_dsn) as given,
        fetching(migrated_dsn, mastodon_listener(server, given)) as fetched,
    ):
        await eventually(lambda: instance.listeners == 1)
        instance.mention(1)
        edited = {"edited_at": "2026-11-22T10:00:00.000Z"}
        for event in ("update", "status.update"):
            instance.tell(event, json.dumps(status(8, **edited)))
        instance.tell("status.update", json.dumps(status(1, **edited)))
        instance.tell("delete", "98")
        instance.tell("delete", "91")
        await fetched.holds("91", "91", "91")


async def test_a_token_that_is_refused_is_a_gap_at_once(migrated_dsn: str) -> None:
    instance, told = Mastodon(), Told()
    async with (
        web_server(instance.app) as server,
        tools(migrated_dsn) as given,
        fetching(migrated_dsn, mastodon_listener(server, given, "another"), told=told),
    ):
        await eventually(lambda: told.reasons() == ["AUTH_FAILED"])


@pytest.mark.parametrize("v2", [True, False])
async def test_jetstream_is_kept_without_gap_or_repeat_over_restarts_of_both_sides(migrated_dsn: str, v2: bool) -> None:  # noqa: FBT001
    async with jetstream_server() as server, tools(migrated_dsn) as given:
        async with fetching(migrated_dsn, bluesky_listener(server, given, v2=v2)) as fetched:
            await eventually(lambda: server.is_open)
            await server.say("1", facets=mention_of())
            await fetched.holds(*uris("1"))
            await server.stop()
            await server.say("2", facets=mention_of())
            await server.start()
            await fetched.holds(*uris("12"))
        await server.say("3", facets=mention_of())
        async with fetching(migrated_dsn, bluesky_listener(server, given, v2=v2)) as fetched:
            await fetched.holds(*uris("123"))
    assert "cursor=" in server.asked[-1]


async def test_what_a_log_does_not_hold_any_more_is_a_gap_that_is_told_once(migrated_dsn: str) -> None:
    told = Told()
    async with jetstream_server() as server, tools(migrated_dsn) as given:
        async with fetching(migrated_dsn, bluesky_listener(server, given, v2=True), told=told) as fetched:
            await eventually(lambda: server.is_open)
            await server.say("1", facets=mention_of())
            await fetched.holds(*uris("1"))
            await fetched.remembers(b'"number":1')
            await server.stop()
        left_at = utc_now()
        await server.say("2", facets=mention_of())
        server.forgotten = 2
        await server.say("3", facets=mention_of())
        await server.start()
        for _ in range(2):
            async with fetching(migrated_dsn, bluesky_listener(server, given, v2=True), told=told) as fetched:
                await fetched.holds(*uris("13"))
    (gap,) = told.gaps
    assert gap.reason is Missed.CURSOR_OUTDATED
    assert gap.since <= left_at <= gap.until


async def test_of_a_whole_network_only_what_concerns_the_account_is_kept(migrated_dsn: str) -> None:
    ours = f"at://{DID}/app.bsky.feed.post/0"
    async with (
        jetstream_server() as server,
        tools(migrated_dsn) as given,
        fetching(migrated_dsn, bluesky_listener(server, given, v2=True)) as fetched,
    ):
        await eventually(lambda: server.is_open)
        await server.say("other", text=f"About {DID}, but not to it")
        await server.say("mention", facets=mention_of())
        await server.say("stranger", facets=mention_of("did:plc:stranger"))
        await server.say("reply", reply={"parent": {"uri": ours, "cid": "c"}, "root": {"uri": ours, "cid": "c"}})
        await server.say("x", operation="delete")
        await server.say("mention", operation="delete")
        await server.say("own", did=DID)
        await fetched.holds(*uris(["mention", "reply", "mention"]), *uris(["own"], DID))
