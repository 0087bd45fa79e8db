"""Signed deliveries over real HTTP: what is kept, what is refused, and what the sender is told."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from services.ingest.hooks import MAX_BODY_BYTES
from tests.integration.ingest.polling import until
from tests.integration.ingest.running import KEY, NEXT_KEY, Running, post, signed

pytestmark = pytest.mark.integration


async def test_a_delivery_is_kept_and_published(ingest: Running) -> None:
    response = await ingest.deliver(post("1", text=" Perche\u0301? ", create_time="2026-11-22T08:59:00Z"))
    assert response.status_code == 200
    (event_id,) = response.json()["accepted"]
    (row,) = await ingest.rows()
    assert (str(row["event_id"]), row["tenant"], row["revision"]) == (event_id, ingest.account.tenant, 1)
    (event,) = await until(ingest.published)
    assert str(event.metadata.event_id) == event_id
    assert event.message.post.utterance.text == "Perché?"


async def test_nobody_is_told_200_before_the_commit(ingest: Running) -> None:
    blocker = await asyncpg.connect(ingest.dsn)
    try:
        async with blocker.transaction():
            await blocker.execute("LOCK TABLE ingest.outbox IN ACCESS EXCLUSIVE MODE")
            delivery = asyncio.create_task(ingest.deliver(post("1")))
            done, _ = await asyncio.wait({delivery}, timeout=0.5)
            assert not done
        response = await delivery
    finally:
        await blocker.close()
    assert response.status_code == 200
    assert len(await ingest.rows()) == 1


async def test_a_repeated_delivery_is_recognised(ingest: Running) -> None:
    first = await ingest.deliver([post("1"), post("2"), post("2")])
    again = await ingest.deliver([post("2"), post("3")])
    assert [len(first.json()[key]) for key in ("accepted", "duplicates")] == [2, 1]
    assert [len(again.json()[key]) for key in ("accepted", "duplicates")] == [1, 1]
    assert len(await ingest.rows()) == 3


async def test_deliveries_at_the_same_time_keep_each_post_once(ingest: Running) -> None:
    posts = [post(str(number % 20)) for number in range(100)]
    responses = await asyncio.gather(*(ingest.deliver(each) for each in posts))
    assert {response.status_code for response in responses} == {200}
    assert sum(len(response.json()["accepted"]) for response in responses) == 20
    events = await until(ingest.published, lambda events: len(events) >= 20)
    assert len({event.metadata.event_id for event in events}) == len(events) == 20


async def test_edits_and_deletions_travel_too(ingest: Running) -> None:
    for kind, data in (
        ("post.created", post("1")),
        ("post.edited", post("1", revision=2, text="Why?")),
        ("post.deleted", {"kind": "public_post", "native_id": "1", "revision": 2}),
    ):
        assert (await ingest.deliver(data, kind=kind)).status_code == 200
    assert [row["change"] for row in await ingest.rows()] == ["created", "edited", "deleted"]
    events = await until(ingest.published, lambda events: len(events) == 3)
    assert [event.message.change for event in events] == [1, 2, 3]


@pytest.mark.parametrize("key", [KEY, NEXT_KEY])
async def test_both_secrets_of_a_rotation_are_good(ingest: Running, key: bytes) -> None:
    body = json.dumps({"type": "post.created", "data": post()}).encode()
    response = await ingest.http.post(f"/v1/hooks/{ingest.account.hook}", content=body, headers=signed(body, key))
    assert response.status_code == 200


async def test_a_stranger_and_a_bad_signature_get_the_same_answer(ingest: Running) -> None:
    body = json.dumps({"type": "post.created", "data": post()}).encode()
    good, path = signed(body), f"/v1/hooks/{ingest.account.hook}"
    answers = [
        await ingest.http.post("/v1/hooks/nobody", content=body, headers=good),
        await ingest.http.post(f"/v1/hooks/{ingest.account.chat}", content=body, headers=good),
        await ingest.http.post(path, content=body + b" ", headers=good),
        await ingest.http.post(path, content=body),
        await ingest.http.post(path, content=body, headers=signed(body, at=time.time() - 301)),
        await ingest.http.post(path, content=b"no json", headers=good),
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.content for answer in answers}) == 1
    assert await ingest.rows() == []


async def test_a_large_body_is_refused_whether_it_says_so_or_not(ingest: Running) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(2 * MAX_BODY_BYTES // 65_536):
            yield b" " * 65_536

    path = f"/v1/hooks/{ingest.account.hook}"
    announced = await ingest.http.post(path, content=b" " * (MAX_BODY_BYTES + 1))
    streamed = await ingest.http.post(path, content=chunks())
    assert [announced.status_code, streamed.status_code] == [413, 413]
    assert announced.json()["code"] == "BODY_TOO_LARGE"
    assert (await ingest.deliver(post())).status_code == 200


@pytest.mark.parametrize(
    ("data", "field", "pointer"),
    [
        (post(kind="tweet"), "data.kind", "#/data/kind"),
        ([post(), post(author=None)], "data[1].author", "#/data/1/author"),
        ({"kind": "chat"}, "data.native_id", "#/data/native_id"),
        ([], "data", "#/data"),
    ],
)
async def test_a_malformed_delivery_is_refused_whole(ingest: Running, data: Any, field: str, pointer: str) -> None:
    response = await ingest.deliver(data)
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    (error,) = response.json()["errors"]
    assert (error["field"], error["pointer"]) == (field, pointer)
    assert await ingest.rows() == []


async def test_other_addresses_and_methods_are_problems_too(ingest: Running) -> None:
    nowhere = await ingest.http.get("/v1/nowhere")
    wrong = await ingest.http.get(f"/v1/hooks/{ingest.account.hook}")
    assert (nowhere.status_code, nowhere.json()["code"]) == (404, "NOT_FOUND")
    assert (wrong.status_code, wrong.json()["code"]) == (405, "METHOD_NOT_ALLOWED")
    assert wrong.headers["allow"] == "POST"
    assert wrong.headers["content-type"] == "application/problem+json"
