"""Bluesky: both versions of Jetstream, views of every kind, facets, embeds, and direct messages."""

import json
from typing import Any

import pytest

from services.ingest.connector import Ignored, Outcome, Reason
from services.ingest.connectors.bluesky import normalize
from services.ingest.rawpost import RawPost
from tests.unit.ingest.connectors.specimens.bluesky import BRAND, DID, SPECIMEN, frame, record

URI = f"at://{DID}/app.bsky.feed.post/3m67umdk4kq2a"
ROOT = f"at://{BRAND}/app.bsky.feed.post/3m67root22222"
PARENT = f"at://{DID}/app.bsky.feed.post/3m67parent222"
REPLY = {"root": {"uri": ROOT, "cid": "a"}, "parent": {"uri": PARENT, "cid": "b"}}


def read(content: Any) -> list[Outcome]:
    return normalize(content if isinstance(content, bytes) else json.dumps(content).encode(), SPECIMEN.account)


def post_of(content: Any) -> RawPost:
    (outcome,) = read(content)
    assert isinstance(outcome, RawPost), outcome
    return outcome


def v1(operation: str, **commit: Any) -> dict[str, Any]:
    named = {"rev": "3m67umdk4ks2a", "collection": "app.bsky.feed.post", "rkey": "3m67umdk4kq2a"}
    whole = {"operation": operation, **named, **commit}
    return {"did": DID, "time_us": 1795334401000000, "kind": "commit", "commit": whole}


def view(text: str, **fields: Any) -> dict[str, Any]:
    author = {"did": DID, "handle": "marta.example", "displayName": "Marta"}
    return {
        "uri": URI,
        "cid": "c",
        "author": author,
        "record": record(text),
        "indexedAt": "2026-11-22T08:00:02Z",
        **fields,
    }


@pytest.mark.parametrize(
    "content",
    [
        frame("create", record("Why?")),
        frame("create", record("Why?"))["payload"],
        v1("create", record=record("Why?")),
        {"did": DID, "time_us": 1, "type": "com", "commit": v1("", record=record("Why?"))["commit"] | {"type": "c"}},
        {"uri": URI, "cid": "c", "value": record("Why?")},
        {"records": [{"uri": URI, "cid": "c", "value": record("Why?")}]},
        view("Why?"),
        {"notifications": [view("Why?", reason="mention", isRead=False)], "seenAt": "2026-11-22T08:00:00Z"},
        {"posts": [view("Why?")]},
        {"feed": [{"post": view("Why?"), "reply": {"root": view("Root"), "parent": view("Parent")}}]},
        {"thread": {"$type": "app.bsky.feed.defs#threadViewPost", "post": view("Why?"), "replies": []}},
        {"thread": [{"uri": URI, "depth": 0, "value": {"post": view("Why?")}}]},
    ],
)
def test_a_post_is_the_same_however_it_comes(content: Any) -> None:
    found = post_of(content)
    assert (found.native_id, found.text, found.change, found.kind) == (URI, "Why?", "created", "public_post")
    assert found.author is not None
    assert found.author.id == DID


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (frame("create", {"subject": {"uri": URI}}, collection="app.bsky.feed.like"), Reason.NO_POST),
        (frame("delete", None, collection="app.bsky.graph.follow"), Reason.NO_POST),
        (frame("create", None), Reason.IDS_ONLY),
        (frame("create", record("Why?"), rkey=None), Reason.NO_ID),
        (
            frame("create", record("", embed={"$type": "app.bsky.embed.record", "record": {"uri": ROOT}})),
            Reason.NO_CONTENT,
        ),
        (
            {"did": DID, "time_us": 1, "kind": "identity", "identity": {"did": DID, "handle": "m.example"}},
            Reason.NO_POST,
        ),
        ({"did": DID, "time_us": 1, "kind": "account", "account": {"active": False}}, Reason.NO_POST),
        ({"$type": "error", "error": "FutureCursor", "message": "x"}, Reason.NO_POST),
        ({"error": "InvalidRequest", "message": "x"}, Reason.NO_POST),
        ({"feed": [{"post": view("Why?"), "reason": {"$type": "app.bsky.feed.defs#reasonRepost"}}]}, Reason.NO_POST),
        ({"notifications": [{"uri": f"at://{DID}/app.bsky.feed.like/3m", "record": {"a": 1}}]}, Reason.NO_POST),
        ({"thread": {"$type": "app.bsky.feed.defs#notFoundPost", "uri": URI, "notFound": True}}, Reason.NO_POST),
        ({"uri": URI, "cid": "c", "commit": {"rev": "3m"}, "validationStatus": "valid"}, Reason.NO_POST),
        ({"uri": URI, "cid": "c"}, Reason.IDS_ONLY),
        (record("Why?"), Reason.NO_ID),
        (b'{"did": 1}\n{"di', Reason.MALFORMED),
    ],
)
def test_what_is_no_post_says_why(content: Any, reason: Reason) -> None:
    outcome = read(content)[-1]
    assert isinstance(outcome, Ignored), outcome
    assert outcome.reason is reason


@pytest.mark.parametrize("content", [frame("update", record("Now")), v1("update", record=record("Now"))])
def test_an_edit_is_of_the_second_of_its_commit_whichever_server_tells(content: Any) -> None:
    edit = post_of(content)
    assert (edit.change, edit.revision, edit.native_id) == ("edited", 1763816980, URI)
    assert post_of(frame("update", record("Now"), rev="3jzfcijpj2z2a")).revision == 1688137381
    assert post_of(frame("update", record("Now"), rev="?")).revision == 1795334401


@pytest.mark.parametrize("content", [frame("delete", None), v1("delete")])
def test_a_deletion_names_the_post(content: Any) -> None:
    found = post_of(content)
    assert (found.change, found.native_id, found.author) == ("deleted", URI, None)


def test_a_reply_names_root_and_parent() -> None:
    found = post_of(frame("create", record("Why?", reply=REPLY)))
    assert (found.kind, found.native_thread_id, found.native_parent_id) == ("public_comment", ROOT, PARENT)


def test_facets_lie_at_bytes() -> None:
    text = "è @lumora 👩‍👧 #lampade lumora.example/a"

    def facet(word: str, **feature: str) -> dict[str, Any]:
        start = len(text[: text.index(word)].encode())
        return {"index": {"byteStart": start, "byteEnd": start + len(word.encode())}, "features": [feature]}

    facets = [
        facet("@lumora", **{"$type": "app.bsky.richtext.facet#mention", "did": BRAND}),
        facet("#lampade", **{"$type": "app.bsky.richtext.facet#tag", "tag": "lampade"}),
        facet("lumora.example/a", **{"$type": "app.bsky.richtext.facet#link", "uri": "https://l.example/" + "a" * 600}),
        facet("è", **{"$type": "example.facet#sparkle"}),
        {"index": {"byteStart": 9, "byteEnd": 3}, "features": [{"$type": "app.bsky.richtext.facet#tag", "tag": "x"}]},
    ]
    spans = post_of(frame("create", record(text, facets=facets))).spans
    assert [(each.kind, text[each.start : each.end], each.target) for each in spans] == [
        ("mention", "@lumora", BRAND),
        ("hashtag", "#lampade", "lampade"),
        ("link", "lumora.example/a", None),
    ]


IMAGES = {"images": [{"fullsize": "https://cdn.example/a.jpg", "thumb": "https://cdn.example/t.jpg", "alt": ""}]}
CARD = {"external": {"uri": "https://l.example/lamp", "title": "A lamp", "description": "It is bright"}}


@pytest.mark.parametrize(
    ("embed", "media"),
    [
        (IMAGES, [("image", "https://cdn.example/a.jpg", None)]),
        ({"record": {"uri": ROOT}, "media": IMAGES}, [("image", "https://cdn.example/a.jpg", None)]),
        (
            {"playlist": "https://video.example/a.m3u8", "alt": "Lit"},
            [("video", "https://video.example/a.m3u8", "Lit")],
        ),
        ({"video": {"ref": {"$link": "b"}}}, [("video", None, None)]),
        (CARD, [("file", "https://l.example/lamp", "A lamp")]),
        ({"external": {"uri": "https://gif.example/a.gif?w=1"}}, [("image", "https://gif.example/a.gif?w=1", None)]),
    ],
)
def test_what_is_embedded_is_attached(embed: dict[str, Any], media: list[tuple[str, str | None, str | None]]) -> None:
    found = post_of(view("", embed=embed)).media
    assert [(each.kind, each.url, each.alt_text) for each in found] == media
    assert post_of(frame("create", record("", embed=embed))).media == found


@pytest.mark.parametrize(
    ("claimed", "time"),
    [
        ("2026-11-22T07:59:00.5", "2026-11-22T07:59:00.500000+00:00"),
        ("2031-01-01T00:00:00Z", "2026-11-22T08:00:01+00:00"),
        ("yesterday", "2026-11-22T08:00:01+00:00"),
    ],
)
def test_nothing_was_written_after_it_was_seen(claimed: str, time: str) -> None:
    found = post_of(frame("create", record("Why?", createdAt=claimed)))
    assert found.create_time is not None
    assert found.create_time.isoformat() == time


def test_a_thread_is_told_from_its_root_to_its_last_reply() -> None:
    def at(key: str, **fields: Any) -> dict[str, Any]:
        return {"post": view(key, uri=f"at://{DID}/app.bsky.feed.post/{key}"), **fields}

    replies = [at("c", replies=[at("d")]), at("e")]
    found = read({"thread": at("b", parent=at("a"), replies=replies)})
    assert [each.text for each in found if isinstance(each, RawPost)] == ["a", "b", "c", "d", "e"]


def test_a_view_tells_who_wrote_it() -> None:
    author = {"did": DID, "handle": "handle.invalid", "displayName": "M", "verification": {"verifiedStatus": "valid"}}
    found = post_of(view("Why?", author=author | {"followersCount": 7}))
    assert found.author is not None
    assert (found.author.handle, found.author.display_name, found.author.verified, found.followers) == (
        None,
        "M",
        True,
        7,
    )


@pytest.mark.parametrize("langs", [["und"], ["?"], [], "it", [7]])
def test_a_language_that_is_none_is_absent(langs: Any) -> None:
    assert post_of(frame("create", record("Why?", langs=langs))).language is None


def test_frames_may_come_one_a_line() -> None:
    lines = "\n".join(json.dumps(each) for each in (frame("create", record("Why?")), frame("delete", None)))
    assert [each.change for each in read(lines.encode()) if isinstance(each, RawPost)] == ["created", "deleted"]


def message(text: str, sender: str = DID) -> dict[str, Any]:
    return {
        "id": "3m67chat22222",
        "rev": "2",
        "text": text,
        "sender": {"did": sender},
        "sentAt": "2026-11-22T08:00:00Z",
    }


def log(kind: str, message: dict[str, Any]) -> dict[str, Any]:
    return {"logs": [{"$type": f"chat.bsky.convo.defs#{kind}", "rev": "2", "convoId": "convo1", "message": message}]}


@pytest.mark.parametrize(
    ("content", "thread"),
    [
        ({"messages": [message("Ciao")]}, None),
        (log("logCreateMessage", message("Ciao")), "convo1"),
        ({"convos": [{"id": "convo1", "members": [{"did": DID}], "lastMessage": message("Ciao")}]}, "convo1"),
        (message("Ciao"), None),
    ],
)
def test_direct_messages_are_heard(content: Any, thread: str | None) -> None:
    found = post_of(content)
    assert (found.kind, found.native_id, found.native_thread_id) == ("direct_message", "3m67chat22222", thread)
    assert (found.text, found.own) == ("Ciao", False)


def test_the_log_tells_deletions_and_what_is_no_message() -> None:
    gone = {name: value for name, value in message("").items() if name != "text"}
    assert post_of(log("logDeleteMessage", gone)).change == "deleted"
    assert isinstance(read(log("logReadMessage", message("Ciao")))[0], Ignored)
    assert post_of({"convo": {"id": "c", "lastMessage": message("Ciao", sender=BRAND)}}).own
