"""Discourse: what each delivery and list becomes, and the text of its markup."""

import json
from typing import Any

import pytest

from services.ingest.connector import Account, Ignored, Outcome, Reason
from services.ingest.connectors.discourse import normalize
from services.ingest.rawpost import RawPost
from tests.unit.ingest.connectors.specimens.discourse import captured, post, written

SITE = Account(url="https://forum.lumora.example")


def outcomes(content: Any, account: Account = SITE) -> list[Outcome]:
    return normalize(json.dumps(content).encode(), account)


def the_post(content: Any, account: Account = SITE) -> RawPost:
    (found,) = outcomes(content, account)
    assert isinstance(found, RawPost), found
    return found


def ignored(content: Any) -> Reason:
    (found,) = outcomes(content)
    assert isinstance(found, Ignored), found
    return found.reason


def test_a_reply_names_its_parent_and_the_first_post_as_its_root() -> None:
    reply = the_post({"post": written("Yes", reply_to_post_number=2)})
    assert (reply.native_id, reply.native_parent_id, reply.native_thread_id) == ("812:4", "812:2", "812:1")
    assert (reply.kind, reply.permalink) == ("public_comment", "https://forum.lumora.example/t/812/4")


def test_the_first_post_of_a_topic_has_its_title() -> None:
    raw = '[quote="luca, post:9, topic:3"]\nmine too\n[/quote]\n\nIt flickers.'
    first = the_post({"post": written(raw, post_number=1)})
    assert (first.kind, first.native_thread_id, first.native_parent_id) == ("public_post", first.native_id, None)
    assert first.text == "Flickering lamp\n\nmine too\n\nIt flickers."
    assert [(span.kind, span.start, span.end, span.target) for span in first.spans] == [("quote", 17, 25, "luca")]


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("see ![lamp|690x388, 50%](upload://a1.jpeg) here", "see  here"),
        ("[bill.pdf|attachment](upload://b2.pdf) (12 KB)", "bill.pdf (12 KB)"),
        ("[quote]\na\n[quote]\nb\n[/quote]\n[/quote]\nc", "a\nb\n\n\n\nc"),
        ("[quote=unclosed] words", " words"),
        ("a [/quote] b", "a [/quote] b"),
        ("**bold** & [a link](https://l.example) :)", "**bold** & [a link](https://l.example) :)"),
    ],
)
def test_what_was_typed_is_read(raw: str, text: str) -> None:
    assert the_post({"post": post(raw=raw)}).text == text


def test_html_is_read_where_it_is_all_there_is() -> None:
    emoji = '<img src="/e.png" title=":wave:" class="emoji" alt=":wave:">'
    caption = '<div class="meta"><span>lamp.png</span><span>690x388 50 KB</span></div>'
    shown = the_post({"post": post(cooked=f'<p>Hello {emoji} <img src="/lamp.png">{caption}</p>')})
    assert shown.text == "Hello :wave:"
    assert [media.url for media in shown.media] == ["/lamp.png"]


def test_media_are_found_in_the_html() -> None:
    cooked = (
        '<img class="avatar" src="/a.png"><video><source src="/v.mp4"></video>'
        '<audio controls><source src="/s.mp3"></audio><a class="attachment" href="/bill.pdf">bill</a>'
        '<img src="/lamp.png" alt="my lamp">'
    )
    media = the_post({"post": post(raw="", cooked=cooked)}).media
    assert [(each.kind, each.url) for each in media] == [
        ("video", "/v.mp4"),
        ("audio", "/s.mp3"),
        ("file", "/bill.pdf"),
        ("image", "/lamp.png"),
    ]


@pytest.mark.parametrize(
    ("version", "change", "revision"),
    [(1, "created", None), (2, "edited", 2), (7, "edited", 7), (None, "created", None)],
)
def test_the_version_is_the_revision(version: int | None, change: str, revision: int | None) -> None:
    edit = the_post(captured("post_edited", {"post": written("Why not?", version=version)}))
    assert (edit.change, edit.revision) == (change, revision)


@pytest.mark.parametrize(
    "content",
    [
        captured("post_destroyed", {"post": written("Why?")}),
        {"post": written("Why?", deleted_at="2026-11-22T10:00:00Z")},
        {"post": written("Why?", user_deleted=True)},
    ],
    ids=["header", "time", "by its author"],
)
def test_a_post_is_gone(content: Any) -> None:
    gone = the_post(content)
    assert (gone.change, gone.native_id, gone.text, gone.author) == ("deleted", "812:4", None, None)


def test_a_topic_that_is_gone_takes_its_first_post() -> None:
    gone = the_post(captured("topic_destroyed", {"topic": {"id": 812, "title": "Flickering lamp"}}))
    assert (gone.change, gone.native_id) == ("deleted", "812:1")


def test_a_private_message_is_direct() -> None:
    assert the_post({"post": written("Ciao", topic_archetype="private_message")}).kind == "direct_message"


@pytest.mark.parametrize("account", ["12", "LUMORA"])
def test_the_account_is_known_by_its_id_and_its_name(account: str) -> None:
    answer = {"post": written("Ciao", user_id=12, username="Lumora")}
    assert the_post(answer, Account(id=account)).own


def test_a_topic_of_the_api_lends_its_posts_its_title() -> None:
    first = {"id": 1, "topic_id": 812, "post_number": 1, "user_id": 7, "username": "m", "cooked": "<p>Help</p>"}
    topic = {"id": 812, "title": "Lamp", "archetype": "private_message", "post_stream": {"posts": [first]}}
    found = the_post(topic)
    assert (found.text, found.kind) == ("Lamp\n\nHelp", "direct_message")


@pytest.mark.parametrize("content", [[written("Ciao")], {"latest_posts": [written("Ciao")]}, written("Ciao")])
def test_posts_of_the_api_are_those_of_the_webhook(content: Any) -> None:
    assert the_post(content) == the_post({"post": written("Ciao")})


def test_a_chat_message_is_heard() -> None:
    marta = {"id": 7001, "username": "marta_r", "name": "Marta"}
    message = {
        "id": 5,
        "message": "Ciao",
        "user": marta,
        "in_reply_to": {"id": 4},
        "created_at": "2026-11-22T09:00:00Z",
    }
    delivery = {"chat_message": {"message": message, "channel": {"id": 2, "chatable_type": "Category"}}}
    found, gone = the_post(delivery), the_post(captured("chat_message_trashed", delivery))
    assert (found.native_id, found.native_parent_id, found.text) == ("chat:5", "chat:4", "Ciao")
    assert (gone.change, gone.native_id, gone.text) == ("deleted", "chat:5", None)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"post": post()}, Reason.IDS_ONLY),
        ({"posts": [post(blurb="It flick...")], "topics": []}, Reason.IDS_ONLY),
        ({"post": {"id": 7, "raw": "x"}}, Reason.NO_ID),
        ({"post": post(post_type=3, action_code="closed.enabled")}, Reason.NO_POST),
        ({"post": written("between us", post_type=4)}, Reason.NO_POST),
        ({"post": written("Welcome!", user_id=-1, username="system")}, Reason.AUTOMATIC),
        ({"post": written("   ")}, Reason.NO_CONTENT),
        ({"topic": {"id": 812}}, Reason.NO_POST),
        ({"user": {"id": 7}}, Reason.NO_POST),
        ({"like": {"post": written("x")}}, Reason.NO_POST),
        ({"ping": "OK"}, Reason.NO_POST),
        ({"latest_posts": []}, Reason.NO_POST),
        ({"headers": {}, "body": "no JSON"}, Reason.MALFORMED),
    ],
)
def test_what_is_no_post_says_why(content: Any, reason: Reason) -> None:
    assert ignored(content) is reason
