"""Mastodon: every event and page, boosts and quotes, and what a server leaves out."""

import json
from typing import Any

import pytest

from services.ingest.connector import Account, Ignored, Outcome, Reason
from services.ingest.connectors.mastodon import normalize
from services.ingest.rawpost import RawPost
from tests.unit.ingest.connectors.specimens.mastodon import SPECIMEN, frame, status

QUOTE = '<p class="quote-inline">RE: <a href="https://l.example/1">https://l.example/1</a></p>'


def read(content: Any) -> list[Outcome]:
    return normalize(content if isinstance(content, bytes) else json.dumps(content).encode(), SPECIMEN.account)


def post_of(content: Any) -> RawPost:
    (outcome,) = read(content)
    assert isinstance(outcome, RawPost), outcome
    return outcome


def reason_of(content: Any) -> Reason:
    (outcome,) = read(content)
    assert isinstance(outcome, Ignored), outcome
    return outcome.reason


def notification(kind: str) -> dict[str, Any]:
    return {"id": "9", "type": kind, "account": {"id": "501"}, "status": status("Why?")}


@pytest.mark.parametrize(
    "content",
    [
        status("Why?"),
        [status("Why?")],
        {"statuses": [status("Why?")], "accounts": [], "hashtags": []},
        {"id": "15", "accounts": [], "last_status": status("Why?")},
        notification("quote"),
        notification("status"),
        {"statuses": [status("Why?")], "notification_groups": [{"type": "mention", "status_id": "115400000000000007"}]},
        frame("update", status("Why?")),
        frame("notification", notification("mention")),
        frame("conversation", {"id": "15", "last_status": status("Why?")}),
        frame("update", status("Why?")).rstrip(b"\n"),
        b":)\r\n" + frame("update", status("Why?")).replace(b"\n", b"\r\n") + b":thump",
        {"stream": ["user"], "event": "update", "payload": json.dumps(status("Why?"))},
        {"event": "status.created", "created_at": "2026-11-22T08:00:00Z", "object": status("Why?")},
    ],
)
def test_a_status_is_the_same_however_it_comes(content: Any) -> None:
    assert post_of(content) == post_of(status("Why?"))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (notification("favourite"), Reason.NO_POST),
        (notification("reblog"), Reason.NO_POST),
        (notification("poll"), Reason.NO_POST),
        ({"id": "9", "type": "follow", "account": {"id": "501"}}, Reason.NO_POST),
        ({"id": "15", "accounts": [], "last_status": None}, Reason.NO_POST),
        (status("Why?", reblog=status("Why?")), Reason.NO_POST),
        (status("<br>" * 0), Reason.NO_CONTENT),
        ([{"content": "<p>Why?</p>", "created_at": "2026-11-22T08:00:00Z", "account": {"id": "501"}}], Reason.NO_ID),
        ({"error": "The access token is invalid"}, Reason.NO_POST),
        ({"id": "501", "acct": "marta", "note": "<p>Hi</p>"}, Reason.NO_POST),
        (frame("filters_changed", "undefined"), Reason.NO_POST),
        (frame("announcement.delete", "115400000000000007"), Reason.NO_POST),
        (frame("announcement", {"id": "1", "content": "<p>We move</p>"}), Reason.NO_POST),
        (frame("update", '{"id": "1'), Reason.MALFORMED),
        (b":)\n:thump\n", Reason.NO_POST),
        (b"event: delete\ndata: 1154", Reason.MALFORMED),
        (b"<html>Bad gateway</html>", Reason.MALFORMED),
    ],
)
def test_what_is_no_post_says_why(content: Any, reason: Reason) -> None:
    assert reason_of(content) is reason


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"spoiler_text": "Lamps"}, "Lamps\n\nWhy?"),
        ({"poll": {"options": [{"title": "Warm"}, {"title": "Cold"}]}}, "Why?\n\n- Warm\n- Cold"),
        ({"content": QUOTE + "<p>Why?</p>", "quote": {"state": "accepted", "quoted_status": {}}}, "Why?"),
        ({"content": QUOTE + "<p>Why?</p>", "quote": None}, "RE: https://l.example/1\n\nWhy?"),
        ({"content": "<p>A &amp; B<br />C</p><p>D</p>"}, "A & B\nC\n\nD"),
    ],
)
def test_the_text_is_what_a_person_reads(fields: dict[str, Any], text: str) -> None:
    assert post_of(status("Why?", **fields)).text == text


@pytest.mark.parametrize(
    ("fields", "kind", "parent"),
    [
        ({"visibility": "unlisted"}, "public_post", None),
        ({"in_reply_to_id": "42"}, "public_comment", "42"),
        ({"in_reply_to_id": "42", "visibility": "direct"}, "direct_message", "42"),
    ],
)
def test_visibility_and_parent_tell_the_kind(fields: dict[str, Any], kind: str, parent: str | None) -> None:
    found = post_of(status("Why?", **fields))
    assert (found.kind, found.native_parent_id, found.native_thread_id) == (kind, parent, None)


@pytest.mark.parametrize("content", [frame("delete", "115400000000000007"), {"event": "delete", "payload": "1154"}])
def test_a_deletion_has_the_id_of_its_server(content: Any) -> None:
    found = post_of(content)
    assert (found.change, found.native_id[:4], found.author) == ("deleted", "1154", None)


def test_the_answer_to_our_deletion_is_one_and_a_draft_of_ours_says_nothing() -> None:
    answer = {name: value for name, value in status("Why?").items() if name != "content"} | {"text": "Why?"}
    assert (post_of(answer).change, post_of(answer).text) == ("deleted", None)
    assert reason_of({"id": "1", "text": "Why?", "spoiler_text": ""}) is Reason.NO_POST


def test_an_edit_is_known_by_its_time_or_its_event() -> None:
    by_time = post_of(status("Why?", edited_at="2026-11-22T08:05:00.500Z"))
    assert (by_time.change, by_time.revision) == ("edited", 1795334700)
    assert (post_of(frame("status.update", status("Why?"))).revision, post_of(notification("update")).revision) == (
        2,
        2,
    )


@pytest.mark.parametrize(
    ("ancestors", "root"), [([status("A", id="1"), status("B", id="2", in_reply_to_id="1")], "1"), ([], "3")]
)
def test_a_context_tells_the_root(ancestors: list[dict[str, Any]], root: str) -> None:
    found = read({"ancestors": ancestors, "descendants": [status("C", id="4", in_reply_to_id="3")]})
    assert {each.native_thread_id for each in found if isinstance(each, RawPost)} == {root}


def test_a_context_cut_off_above_tells_no_root() -> None:
    found = post_of({"ancestors": [status("B", id="2", in_reply_to_id="1")], "descendants": []})
    assert (found.native_parent_id, found.native_thread_id) == ("1", None)


def test_media_may_lie_elsewhere_or_nowhere_yet() -> None:
    video = {
        "type": "gifv",
        "url": None,
        "remote_url": "https://l.example/a.mp4",
        "meta": {"original": {"duration": 7.6}},
    }
    found = post_of(status("", media_attachments=[video, {"type": "unknown", "url": None, "description": "?"}]))
    assert [(each.kind, each.url, each.duration_seconds, each.alt_text) for each in found.media] == [
        ("video", "https://l.example/a.mp4", 8, None),
        ("file", None, None, "?"),
    ]


def test_the_author_and_the_address_are_what_the_server_says() -> None:
    hidden = {"id": "501", "username": "marta", "display_name": "", "followers_count": -1}
    found = post_of(status("Why?", account=hidden, url=None))
    assert found.author is not None
    assert (found.author.handle, found.author.display_name, found.followers) == ("marta", None, None)
    assert found.permalink == "https://lampade.example/users/marta/statuses/115400000000000007"


def test_without_an_account_nothing_is_own() -> None:
    (found,) = normalize(json.dumps(status("Why?", account={"id": ""})).encode(), Account())
    assert isinstance(found, RawPost)
    assert not found.own
