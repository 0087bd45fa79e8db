"""Proves that the sample conversations and the knowledge base keep the shape that the demo relies on."""

import json
import tomllib
from collections import Counter
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
SAMPLES = ROOT / "samples" / "conversations.jsonl"
KNOWLEDGE = ROOT / "knowledge"

JOURNEY = ("telegram", "-1002184467301:4187")
NETWORKS = {"x", "facebook_page", "telegram", "mastodon", "google_play", "web_chat"}
LANGUAGES = {"en", "it", "es", "fr", "de", "pt"}
KINDS = {"public_post", "public_comment", "direct_message", "review", "email", "chat"}
TOPICS = {
    "delivery-times",
    "refunds",
    "double-charge",
    "wifi-after-update-3-2",
    "app-crash",
    "warranty-repair",
    "matter-homekit",
    "lumora-plus",
}
KEYS: dict[str, type] = {
    "network": str,
    "kind": str,
    "native_id": str,
    "native_thread_id": str,
    "native_parent_id": str,
    "change": str,
    "revision": int,
    "own": bool,
    "author": dict,
    "text": str,
    "language": str,
    "create_time": str,
    "permalink": str,
    "rating": int,
    "followers": int,
    "media": list,
}
AUTHOR_KEYS: dict[str, type] = {"id": str, "handle": str, "display_name": str, "verified": bool}
MEDIA_KEYS: dict[str, type] = {"kind": str, "url": str, "alt_text": str}
MEDIA_KINDS = {"image", "video", "audio", "file"}
EARLIEST = datetime(2026, 11, 1, tzinfo=UTC)
LATEST = datetime(2026, 11, 20, tzinfo=UTC)
X_MAX_CHARACTERS = 280
MASTODON_MAX_CHARACTERS = 500

Row = dict[str, Any]
PostKey = tuple[str, str]


def read_rows() -> list[Row]:
    return [json.loads(line) for line in SAMPLES.read_text(encoding="utf-8").splitlines()]


def post_key(row: Row) -> PostKey:
    return row["network"], row["native_id"]


def change_of(row: Row) -> str:
    return str(row.get("change", "created"))


def key_faults(found: Row, allowed: dict[str, type]) -> list[str]:
    unknown = [f"unknown key {key}" for key in found.keys() - allowed.keys()]
    return unknown + [
        f"{key} is no {allowed[key].__name__}"
        for key in found.keys() & allowed.keys()
        if type(found[key]) is not allowed[key]
    ]


def value_faults(row: Row) -> list[str]:
    rules = {
        "network": row["network"] in NETWORKS,
        "kind": row["kind"] in KINDS,
        "native_id": bool(row["native_id"]),
        "change": change_of(row) in {"created", "edited", "deleted"},
        "revision": row.get("revision", 1) >= (2 if change_of(row) == "edited" else 1),
        "rating": ("rating" in row) <= (row["kind"] == "review") and 1 <= row.get("rating", 1) <= 5,
        "followers": row.get("followers", 0) >= 0,
        "language": row.get("language", "en") in LANGUAGES,
        "media": all(item["kind"] in MEDIA_KINDS and item["url"] for item in row.get("media", [])),
    }
    return [f"bad {key}" for key, kept in rules.items() if not kept]


def content_faults(row: Row) -> list[str]:
    if change_of(row) == "deleted":
        return [f"deleted row has {key}" for key in ("text", "author", "media") if key in row]
    missing_author = [] if row.get("author", {}).get("id") else ["no author id"]
    return missing_author + ([] if row.get("text") or row.get("media") else ["neither text nor media"])


def row_faults(row: Row) -> list[str]:
    missing = [f"no {key}" for key in ("network", "kind", "native_id") if key not in row]
    if missing:
        return missing
    shape = key_faults(row, KEYS) + key_faults(row.get("author", {}), AUTHOR_KEYS)
    shape += [fault for item in row.get("media", []) for fault in key_faults(item, MEDIA_KEYS)]
    return shape or value_faults(row) + content_faults(row)


def read_article(path: Path) -> tuple[dict[str, Any], str]:
    before, header, body = path.read_text(encoding="utf-8").split("+++\n", maxsplit=2)
    assert not before, f"{path.name} must start with its +++ block"
    return tomllib.loads(header), body.strip()


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return read_rows()


@pytest.fixture(scope="module")
def created(rows: list[Row]) -> dict[PostKey, Row]:
    return {post_key(row): row for row in rows if change_of(row) == "created"}


def test_every_row_keeps_the_schema(rows: list[Row]) -> None:
    faults = {number: found for number, row in enumerate(rows, start=1) if (found := row_faults(row))}
    assert faults == {}


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"colour": "red"}, "unknown key colour"),
        ({"rating": "5"}, "rating is no int"),
        ({"change": "edited"}, "bad revision"),
        ({"rating": 4}, "bad rating"),
        ({"change": "deleted", "revision": 2}, "deleted row has text"),
        ({"text": ""}, "neither text nor media"),
        ({"author": {"mail": "a@b.example"}}, "unknown key mail"),
        ({"author": {"handle": "a"}}, "no author id"),
        ({"network": "pigeon"}, "bad network"),
    ],
)
def test_the_schema_check_sees_a_fault(change: Row, fault: str) -> None:
    row = {"network": "x", "kind": "public_post", "native_id": "1", "author": {"id": "2"}, "text": "hello"}
    assert row_faults(row) == []
    assert fault in row_faults(row | change)


def test_there_are_enough_posts_of_every_network(rows: list[Row]) -> None:
    posts = Counter(network for network, _ in {post_key(row) for row in rows})
    assert posts.total() >= 300
    assert {network for network, count in posts.items() if count >= 30} == NETWORKS


def test_there_are_enough_posts_of_every_language(rows: list[Row]) -> None:
    posts = Counter(row["language"] for row in rows if "language" in row)
    assert {language for language, count in posts.items() if count >= 30} == LANGUAGES


def test_no_change_is_told_twice(rows: list[Row]) -> None:
    told = Counter((*post_key(row), row.get("revision", 1), change_of(row)) for row in rows)
    assert [change for change, count in told.items() if count > 1] == []


def test_texts_are_written_one_by_one(rows: list[Row]) -> None:
    texts = Counter(row["text"] for row in rows if "text" in row)
    assert [text for text, count in texts.items() if count > 1] == []


def test_edits_and_deletions_follow_what_they_change(rows: list[Row]) -> None:
    latest: dict[PostKey, Row] = {}
    for row in rows:
        if change_of(row) != "created":
            before = latest[post_key(row)]
            step = 1 if change_of(row) == "edited" else 0
            assert row["revision"] == before.get("revision", 1) + step
            assert (row["kind"], row.get("native_thread_id")) == (
                before["kind"],
                before.get("native_thread_id"),
            )
        latest[post_key(row)] = row
    assert {change_of(row) for row in rows} == {"created", "edited", "deleted"}


def test_threads_lead_to_an_earlier_root(rows: list[Row]) -> None:
    seen: dict[PostKey, Row] = {}
    for row in rows:
        thread, parent = row.get("native_thread_id"), row.get("native_parent_id")
        if row["network"] == "web_chat":
            assert row["native_id"].rpartition("-")[0] == thread
        elif thread is not None:
            assert "native_thread_id" not in seen[row["network"], thread], f"{thread} is no root"
        if parent is not None:
            parent_row = seen[row["network"], parent]
            assert parent_row.get("native_thread_id", parent) == thread
        seen.setdefault(post_key(row), row)


def test_chat_messages_are_numbered_without_gaps(created: dict[PostKey, Row]) -> None:
    sessions: dict[str, list[int]] = {}
    for network, native_id in created:
        if network == "web_chat":
            session, _, number = native_id.rpartition("-")
            sessions.setdefault(session, []).append(int(number))
    assert all(numbers == list(range(1, len(numbers) + 1)) for numbers in sessions.values())


def test_times_lie_in_three_weeks_of_november(rows: list[Row]) -> None:
    times = [datetime.fromisoformat(row["create_time"]) for row in rows if "create_time" in row]
    assert all(EARLIEST <= time < LATEST for time in times)
    assert 0 < len(rows) - len(times) < len(rows) // 20


def test_rows_stand_in_order_of_time(rows: list[Row]) -> None:
    times = [datetime.fromisoformat(row["create_time"]) for row in rows if "create_time" in row]
    assert times == sorted(times)


@pytest.mark.parametrize(("network", "limit"), [("x", X_MAX_CHARACTERS), ("mastodon", MASTODON_MAX_CHARACTERS)])
def test_texts_fit_their_network(rows: list[Row], network: str, limit: int) -> None:
    assert max(len(row.get("text", "")) for row in rows if row["network"] == network) <= limit


def test_the_guided_journey_starts_from_an_unanswered_complaint(rows: list[Row], created: dict[PostKey, Row]) -> None:
    complaint = created[JOURNEY]
    assert complaint["language"] == "it"
    assert not any(row.get("native_thread_id") == complaint["native_id"] for row in rows)


def test_every_link_is_fictional(rows: list[Row]) -> None:
    links = [row["permalink"] for row in rows if "permalink" in row]
    links += [item["url"] for row in rows for item in row.get("media", [])]
    assert [link for link in links if not link.split("/")[2].endswith(".example")] == []


def test_every_topic_has_an_article_in_every_language() -> None:
    expected = {f"{topic}.{language}.md" for topic in TOPICS for language in LANGUAGES}
    assert {path.name for path in KNOWLEDGE.glob("*.md")} == expected


@pytest.mark.parametrize("path", sorted(KNOWLEDGE.glob("*.md")), ids=lambda path: path.name)
def test_an_article_opens_with_an_answer_that_fits_a_reply(path: Path) -> None:
    header, body = read_article(path)
    assert f"{header['id']}.{header['language']}.md" == path.name
    assert header.keys() - {"products"} == {"id", "title", "language", "updated", "keywords"}
    assert type(header["updated"]) is date
    assert header["title"]
    assert header["keywords"]
    assert 60 <= len(body.split()) <= 130
    assert len(body.split("\n\n")[0]) <= X_MAX_CHARACTERS


@pytest.mark.parametrize("topic", sorted(TOPICS))
def test_an_article_has_the_same_date_and_products_in_every_language(topic: str) -> None:
    headers = [read_article(path)[0] for path in KNOWLEDGE.glob(f"{topic}.*.md")]
    facts = {(header["updated"], tuple(header.get("products", ()))) for header in headers}
    assert len(headers) == len(LANGUAGES)
    assert len(facts) == 1
