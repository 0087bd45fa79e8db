"""Bytes from anybody: rows, webhook bodies and chat messages become posts or name what is wrong."""

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.integrations import Integration
from services.ingest.chatbody import ChatMessage, chat_post, parse_chat
from services.ingest.hookbody import parse_hook, position
from services.ingest.importrows import parse_rows, read_row
from services.ingest.normalizer import Accepted, Normalizer
from services.ingest.rawpost import Invalid, RawPost

THREADS = Path(__file__).parents[4] / "shared/data/unlabelled_threads.jsonl"
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
NORMALIZER = Normalizer(Integration(id="acme-import", tenant="acme", kind="import"), b"k" * 32)
POST: dict[str, Any] = {"kind": "chat", "native_id": "1", "author": {"id": "u1"}, "text": "Why?"}
ROW: dict[str, Any] = {**POST, "network": "x"}
THREAD_ROW: dict[str, Any] = {
    "thread_id": "t1",
    "tweet_id": "t1-1",
    "author": "brand",
    "inbound": False,
    "text": "@user We are sorry.",
    "created_at": "2020-04-01T17:31:32.000Z",
    "response_ids": ["t1-2"],
    "in_reply_to": "t1-0",
    "lang": "en",
    "source": "somewhere",
}

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
)


def row_like(example: dict[str, Any]) -> st.SearchStrategy[bytes]:
    """Rows of the right keys, any of them left out or with any value."""
    values = {key: st.just(value) | JSON for key, value in example.items()}
    return st.fixed_dictionaries({}, optional=values).map(lambda row: json.dumps(row).encode())


ANY_BYTES = st.binary(max_size=300) | JSON.map(lambda value: json.dumps(value).encode())


def normalized(raw: RawPost | Invalid) -> Accepted | Invalid:
    return raw if isinstance(raw, Invalid) else NORMALIZER.normalize(raw, received_at=NOW)


@given(ANY_BYTES | row_like(ROW) | row_like(THREAD_ROW))
def test_no_row_raises_and_equal_rows_give_equal_events(line: bytes) -> None:
    first, second = normalized(read_row(line)), normalized(read_row(line))
    assert isinstance(first, Accepted | Invalid)
    assert first == second


@given(ANY_BYTES | row_like({"type": "post.created", "data": POST}))
def test_no_hook_body_raises(body: bytes) -> None:
    posts = parse_hook(body, "generic")
    results = [posts] if isinstance(posts, Invalid) else [normalized(post) for post in posts]
    assert all(isinstance(result, Accepted | Invalid) for result in results)


@given(ANY_BYTES | row_like({"text": "Hi", "visitor": {"name": "Ann"}, "locale": "it", "id": str(UUID(int=1))}))
def test_no_chat_body_raises(body: bytes) -> None:
    message = parse_chat(body)
    if isinstance(message, ChatMessage):
        post = normalized(chat_post(message, UUID(int=1), "s", "web_chat", received_at=NOW))
        assert isinstance(post, Accepted | Invalid)
    else:
        assert isinstance(message, Invalid)


@pytest.mark.parametrize("read", [read_row, parse_chat, lambda body: parse_hook(body, "x")])
@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"[" * 100_000, b"nul", b'"\\ud800"'])
def test_what_is_no_json_is_said_to_be_none(read: Callable[[bytes], object], body: bytes) -> None:
    result = read(body)
    assert isinstance(result, Invalid)
    assert result.field == ""


def test_json_may_be_nested_as_deep_as_it_likes() -> None:
    deep = b'{"type": "post.created", "data": ' + b'{"a":' * 100_000
    assert isinstance(read_row(deep), Invalid)
    assert isinstance(parse_hook(deep, "x"), Invalid)


def test_a_row_of_a_support_thread_is_recognised() -> None:
    row = read_row(json.dumps(THREAD_ROW).encode())
    assert isinstance(row, RawPost)
    assert (row.network, row.kind, row.own) == ("x", "public_comment", True)
    assert (row.native_id, row.native_thread_id, row.native_parent_id) == ("t1-1", "t1", "t1-0")
    assert row.create_time == datetime(2020, 4, 1, 17, 31, 32, tzinfo=UTC)


@pytest.mark.parametrize(
    ("changes", "root"),
    [({}, "t1"), ({"thread_id": None}, "t1-0"), ({"thread_id": None, "in_reply_to": None}, "t1-1")],
)
def test_a_support_thread_hangs_together(changes: dict[str, Any], root: str) -> None:
    result = normalized(read_row(json.dumps({**THREAD_ROW, **changes}).encode()))
    assert isinstance(result, Accepted)
    assert result.event.message.post.native_thread_id == root


def test_the_public_threads_are_all_read() -> None:
    if not THREADS.exists():
        pytest.skip(f"{THREADS.name} is not on this machine")
    with THREADS.open("rb") as lines:
        rows = [row.post for row in parse_rows(lines)]
    posts = [row for row in rows if isinstance(row, RawPost)]
    assert len(posts) == len(rows) == 14_181
    assert sum(post.own for post in posts) == 6_084


def test_our_own_samples_are_all_accepted() -> None:
    with (Path(__file__).parents[3] / "samples/conversations.jsonl").open("rb") as lines:
        refused = [row for row in parse_rows(lines) if isinstance(normalized(row.post), Invalid)]
    assert refused == []


def test_rows_keep_their_line_numbers() -> None:
    lines = [b"\xef\xbb\xbf" + json.dumps(ROW).encode() + b"\n", b"\n", b"{}\n", b"[]"]
    rows = list(parse_rows(lines))
    assert [row.line_number for row in rows] == [1, 3, 4]
    assert isinstance(rows[0].post, RawPost)
    assert rows[2].post == Invalid("", "a row is a JSON object")


@pytest.mark.parametrize(("kind", "change"), [("post.created", "created"), ("post.deleted", "deleted")])
def test_a_hook_body_may_hold_one_post_or_several(kind: str, change: str) -> None:
    for data, count in ((POST, 1), ([POST, POST], 2)):
        posts = parse_hook(json.dumps({"type": kind, "timestamp": "2026", "data": data}).encode(), "generic")
        assert not isinstance(posts, Invalid)
        assert [(post.network, post.change) for post in posts] == [("generic", change)] * count


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"data": POST}, "type"),
        ({"type": "post.created"}, "data"),
        ({"type": "post.liked", "data": POST}, "type"),
        ({"type": "post.created", "data": []}, "data"),
        ({"type": "post.created", "data": [POST] * 101}, "data"),
        ({"type": "post.created", "data": {**POST, "network": "x"}}, "data.network"),
        ({"type": "post.created", "data": {**POST, "change": "deleted"}}, "data.change"),
        ({"type": "post.created", "data": [POST, {**POST, "author": {"id": 3}}]}, "data[1].author.id"),
    ],
)
def test_a_hook_body_names_its_field(body: dict[str, Any], field: str) -> None:
    result = parse_hook(json.dumps(body).encode(), "generic")
    assert isinstance(result, Invalid)
    assert result.field == field


@pytest.mark.parametrize(
    ("count", "index", "field", "named"),
    [(1, 0, "author", "data.author"), (3, 2, "media[1].kind", "data[2].media[1].kind"), (2, 1, "", "data[1]")],
)
def test_a_field_is_named_where_the_sender_wrote_it(count: int, index: int, field: str, named: str) -> None:
    assert position(count, index, Invalid(field, "")).field == named


def test_a_visitor_cannot_use_up_the_message_ids_of_another() -> None:
    message = ChatMessage(text="Hi", id=UUID(int=7))
    ids = set()
    for session in ("one", "two"):
        post = normalized(chat_post(message, UUID(int=7), session, "web_chat", received_at=NOW))
        assert isinstance(post, Accepted)
        ids.add(post.event.metadata.event_id)
    assert len(ids) == 2
