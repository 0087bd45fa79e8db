"""Facebook pages, Instagram and Threads over restarts of both sides: no gap, no repeat, and quotas that are kept to."""

from collections.abc import Callable
from typing import Any

import pytest

from chassis.clock import utc_now
from services.ingest.connector import Account
from services.ingest.connectors import connectors
from services.ingest.fetching.attendance import Listener
from services.ingest.fetching.coverage import Expectation
from services.ingest.fetching.networks import fetchers
from services.ingest.fetching.source import Tools
from tests.integration.ingest.fetched import Told, connection, eventually, fetching, listener, tools
from tests.integration.ingest.servers.graph import TOKEN, Graph, time
from tests.integration.ingest.servers.web import WebServer, web_server

pytestmark = pytest.mark.integration
Comment = Callable[..., None]


def meta_listener(network: str, server: WebServer, tools: Tools, token: str = TOKEN) -> Listener:
    known = connection(network, Account("1", server.url), token, every_seconds="0.05")
    source = fetchers()[network].open(known, tools)
    return listener(source, Expectation(failing_seconds=60), connectors()[network].normalize, "1")


def page_post(graph: Graph, number: int) -> None:
    said = {"message": "New lamps.", "from": {"id": "1"}, "created_time": time(0), "updated_time": time(0)}
    graph.add("1/feed", {"id": f"1_{number}", **said, "comments": {"data": [], "summary": {"total_count": 0}}})
    graph.add(f"1_{number}/comments")


def page_comment(graph: Graph, post: int, *numbers: int) -> None:
    for number in numbers:
        address = f"https://www.facebook.com/1/posts/{post}?comment_id={number}"
        said = {"message": "Why?", "from": {"id": "7"}, "created_time": time(number), "permalink_url": address}
        graph.add(f"1_{post}/comments", {"id": f"{post}_{number}", **said, "comment_count": 0})
    (written,) = [each for each in graph.lists["1/feed"] if each["id"] == f"1_{post}"]
    written["updated_time"] = time(max(numbers))
    written["comments"]["summary"]["total_count"] += len(numbers)


async def test_comments_on_a_page_are_kept_without_gap_or_repeat_over_restarts_of_both_sides(
    migrated_dsn: str,
) -> None:
    graph = Graph()
    page_post(graph, 5)
    page_comment(graph, 5, 1, 2)
    async with web_server(graph.app) as server, tools(migrated_dsn) as given:
        async with fetching(migrated_dsn, meta_listener("facebook_page", server, given)) as fetched:
            await fetched.holds("1_5", "5_1", "5_2")
            await server.stop()
            page_comment(graph, 5, *range(3, 15))
            page_post(graph, 6)
            await server.start()
            await fetched.holds("1_5", "1_6", *(f"5_{number}" for number in range(1, 15)))
        page_comment(graph, 6, 20)
        async with fetching(migrated_dsn, meta_listener("facebook_page", server, given)) as fetched:
            await fetched.holds("1_5", "1_6", "6_20", *(f"5_{number}" for number in range(1, 15)))


async def test_a_quota_that_is_used_up_costs_no_comment(migrated_dsn: str) -> None:
    graph = Graph()
    graph.answers, graph.throttled = 2, 1
    for post in (5, 6):
        page_post(graph, post)
        page_comment(graph, post, 1)
    async with (
        web_server(graph.app) as server,
        tools(migrated_dsn) as given,
        fetching(migrated_dsn, meta_listener("facebook_page", server, given)) as fetched,
    ):
        await fetched.holds("1_5", "1_6", "5_1", "6_1")
    assert graph.throttled == 0


async def test_a_post_that_was_deleted_since_keeps_nothing_else_from_being_read(migrated_dsn: str) -> None:
    graph = Graph()
    for post in (5, 6):
        page_post(graph, post)
        page_comment(graph, post, 1)
    del graph.lists["1_6/comments"]
    async with (
        web_server(graph.app) as server,
        tools(migrated_dsn) as given,
        fetching(migrated_dsn, meta_listener("facebook_page", server, given)) as fetched,
    ):
        await fetched.holds("1_5", "1_6", "5_1")


def photo(graph: Graph, number: int) -> None:
    said = {"caption": "New lamps.", "username": "lumora", "media_type": "IMAGE", "timestamp": time(0)}
    graph.add("1/media", {"id": f"p{number}", **said, "owner": {"id": "1"}, "comments_count": 0})
    graph.add(f"p{number}/comments")


def photo_comment(graph: Graph, post: int, *numbers: int) -> None:
    for number in numbers:
        said = {"text": "Why?", "timestamp": time(number), "from": {"id": "7", "username": "ada"}}
        graph.add(f"p{post}/comments", {"id": f"c{number}", **said, "media": {"id": f"p{post}"}})
    (written,) = [each for each in graph.lists["1/media"] if each["id"] == f"p{post}"]
    written["comments_count"] += len(numbers)
    written["comments"] = {"data": [{"id": f"c{numbers[-1]}", "text": "Why?", "from": {"id": "7"}}]}


async def test_comments_and_tags_on_instagram_are_kept_without_gap_or_repeat_over_restarts_of_both_sides(
    migrated_dsn: str,
) -> None:
    graph = Graph()
    photo(graph, 5)
    photo_comment(graph, 5, 1, 2)
    tag = {"caption": "With my @lumora", "username": "ada", "media_type": "IMAGE", "timestamp": time(1)}
    graph.add("1/tags", {"id": "t1", **tag})
    async with web_server(graph.app) as server, tools(migrated_dsn) as given:
        async with fetching(migrated_dsn, meta_listener("instagram", server, given)) as fetched:
            await fetched.holds("p5", "c1", "c2", "t1")
            await server.stop()
            photo_comment(graph, 5, *range(3, 12))
            graph.add("1/tags", {"id": "t2", **tag})
            await server.start()
            await fetched.holds("p5", "t1", "t2", *(f"c{number}" for number in range(1, 12)))
        photo_comment(graph, 5, 12)
        async with fetching(migrated_dsn, meta_listener("instagram", server, given)) as fetched:
            await fetched.holds("p5", "t1", "t2", *(f"c{number}" for number in range(1, 13)))


async def test_replies_that_a_page_of_comments_leaves_out_are_asked_for(migrated_dsn: str) -> None:
    graph = Graph()
    photo(graph, 5)
    photo_comment(graph, 5, 1)
    said = {"text": "Mine too.", "timestamp": time(2), "from": {"id": "8"}, "parent_id": "c1", "media": {"id": "p5"}}
    replies = [{"id": f"r{number}", **said} for number in range(5)]
    graph.lists["p5/comments"][0]["replies"] = {"data": replies[-1:], "paging": {"next": "https://graph.example/"}}
    graph.add("c1/replies", *replies)
    graph.add("1/tags")
    async with (
        web_server(graph.app) as server,
        tools(migrated_dsn) as given,
        fetching(migrated_dsn, meta_listener("instagram", server, given)) as fetched,
    ):
        await fetched.holds("p5", "c1", *(f"r{number}" for number in range(5)))


def thread(graph: Graph, path: str, *ids: str, **fields: Any) -> None:
    moment = f"{utc_now():%Y-%m-%dT%H:%M:%S+0000}"
    said = {"text": "Why?", "username": "ada", "media_type": "TEXT_POST", "timestamp": moment}
    graph.add(path, *({"id": each, **said, **fields} for each in ids))


async def test_conversations_and_mentions_on_threads_are_kept_without_gap_or_repeat_over_restarts_of_both_sides(
    migrated_dsn: str,
) -> None:
    graph = Graph()
    thread(graph, "1/threads", "5", owner={"id": "1"}, has_replies=True)
    below: dict[str, Any] = {"is_reply": True, "root_post": {"id": "5"}, "replied_to": {"id": "5"}}
    thread(graph, "5/conversation", "51", "52", **below)
    thread(graph, "1/mentions", "91")
    async with web_server(graph.app) as server, tools(migrated_dsn) as given:
        async with fetching(migrated_dsn, meta_listener("threads", server, given)) as fetched:
            await fetched.holds("5", "51", "52", "91")
            await server.stop()
            thread(graph, "5/conversation", *"abcdefg", **below)
            thread(graph, "1/mentions", "92")
            await server.start()
            await fetched.holds("5", "51", "52", "91", "92", *"abcdefg")
        thread(graph, "5/conversation", "h", **below)
        async with fetching(migrated_dsn, meta_listener("threads", server, given)) as fetched:
            await fetched.holds("5", "51", "52", "91", "92", *"abcdefgh")


@pytest.mark.parametrize("network", ["facebook_page", "instagram", "threads"])
async def test_a_token_that_is_refused_in_a_body_is_a_gap_at_once(migrated_dsn: str, network: str) -> None:
    told = Told()
    async with (
        web_server(Graph().app) as server,
        tools(migrated_dsn) as given,
        fetching(migrated_dsn, meta_listener(network, server, given, "another"), told=told),
    ):
        await eventually(lambda: told.reasons() == ["AUTH_FAILED"])
