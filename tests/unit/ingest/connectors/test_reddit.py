"""Reddit: listings as deep as they go, inboxes, things that are gone, escapes, and what is attached."""

import json
from typing import Any

import pytest

from services.ingest.connector import Account, Ignored, Outcome, Reason
from services.ingest.connectors.reddit import normalize
from services.ingest.rawpost import RawPost
from tests.unit.ingest.connectors.specimens.reddit import SPECIMEN, comment, listing, submission, thing


def read(content: Any) -> list[Outcome]:
    return normalize(content if isinstance(content, bytes) else json.dumps(content).encode(), SPECIMEN.account)


def post_of(content: Any) -> RawPost:
    (outcome,) = read(content)
    assert isinstance(outcome, RawPost), outcome
    return outcome


def message(body: str, **fields: Any) -> dict[str, Any]:
    data = {"name": "t4_aaa", "author": "marta_r", "subject": "A lamp", "body": body, "created_utc": 1795338000.0}
    return thing("t4", **(data | fields))


def answer(*things: dict[str, Any], errors: Any = ()) -> dict[str, Any]:
    return {"json": {"errors": list(errors), "data": {"things": list(things)}}}


@pytest.mark.parametrize(
    "content",
    [
        comment("Why?"),
        comment("Why?")["data"],
        listing(comment("Why?")),
        [listing(), listing(comment("Why?"))],
        answer(comment("Why?")),
        json.dumps(comment("Why?")["data"]).encode() + b"\r\n",
    ],
)
def test_a_comment_is_the_same_however_it_comes(content: Any) -> None:
    found = post_of(content)
    assert (found.native_id, found.text, found.kind) == ("t1_lumo7aa", "Why?", "public_comment")
    assert found.permalink == "https://www.reddit.com/r/lumora/comments/1lamps/which_lamp/lumo7aa/"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (thing("more", children=["a", "b"], parent_id="t3_1lamps"), Reason.IDS_ONLY),
        (thing("t5", display_name="lumora", title="Lumora"), Reason.NO_POST),
        (thing("UserList", children=[{"name": "marta_r"}]), Reason.NO_POST),
        (answer(errors=[["RATELIMIT", "take a break for 5 minutes", "ratelimit"]]), Reason.NO_POST),
        ({"json": {"errors": [["NO_TEXT", "we need something here", "text"]]}}, Reason.NO_POST),
        ({"json": {"errors": [], "data": {"id": "1lamps", "name": "t3_1lamps"}}}, Reason.NO_POST),
        ({"jquery": [[0, 1, "attr", "find"]], "success": True}, Reason.NO_POST),
        ({"message": "Too Many Requests", "error": 429}, Reason.NO_POST),
        (listing(), Reason.NO_POST),
        (comment("Why?", name=None, id=None), Reason.NO_ID),
        (comment(""), Reason.NO_CONTENT),
        (b"<html>503</html>", Reason.MALFORMED),
    ],
)
def test_what_is_no_post_says_why(content: Any, reason: Reason) -> None:
    (outcome,) = read(content)
    assert isinstance(outcome, Ignored), outcome
    assert outcome.reason is reason


def test_replies_follow_what_they_answer_as_deep_as_they_go() -> None:
    deepest = comment("c", name="t1_c", parent_id="t1_b")
    below = listing(
        comment("b", name="t1_b", parent_id="t1_a", replies=listing(deepest)), thing("more", children=["x"])
    )
    page = [listing(submission()), listing(comment("a", name="t1_a", replies=below), comment("d", name="t1_d"))]
    found = [(each.native_id, each.native_parent_id) for each in read(page) if isinstance(each, RawPost)]
    assert found == [
        ("t3_1lamps", None),
        ("t1_a", "t3_1lamps"),
        ("t1_b", "t1_a"),
        ("t1_c", "t1_b"),
        ("t1_d", "t3_1lamps"),
    ]


@pytest.mark.parametrize(
    "fields",
    [
        {"link_id": "t3_1lamps"},
        {"link_id": None, "context": "/r/lumora/comments/1lamps/which_lamp/lumo7aa/?context=3"},
        {"link_id": None, "permalink": None, "parent_id": "t3_1lamps"},
    ],
)
def test_the_submission_is_the_thread(fields: dict[str, Any]) -> None:
    assert post_of(comment("Why?", **({"parent_id": "t1_other"} | fields))).native_thread_id == "t3_1lamps"


@pytest.mark.parametrize(
    "content",
    [
        comment("[deleted]", author="[deleted]"),
        comment("[removed]", author=None),
        comment("[ Removed by Reddit ]"),
        submission(selftext="[removed]"),
        submission(selftext="It hums.", removed_by_category="moderator"),
        submission(title="[deleted by user]", author="[deleted]"),
    ],
)
def test_what_is_gone_is_a_deletion(content: Any) -> None:
    found = post_of(content)
    assert (found.change, found.text, found.author) == ("deleted", None, None)


def test_what_a_closed_account_said_stays_without_its_author() -> None:
    found = post_of(comment("Why?", author="[deleted]", author_fullname=None))
    assert (found.change, found.text, found.author) == ("created", "Why?", None)


@pytest.mark.parametrize(("edited", "revision"), [(1795338060.0, 1795338060), (True, 2)])
def test_an_edit_has_its_second_where_it_is_told(edited: Any, revision: int) -> None:
    found = post_of(comment("Why?", edited=edited))
    assert (found.change, found.revision) == ("edited", revision)


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("5 < 6 & 7", "5 < 6 & 7"),
        ("&#x200B;Why?&nbsp;No.", "\u200bWhy?\xa0No."),
        ("AT&amp;T", "AT&T"),
        ("https://l.example/?a=1&copy=2", "https://l.example/?a=1&copy=2"),
        ("> quoted\n\n**Why?**", "> quoted\n\n**Why?**"),
    ],
)
def test_escapes_are_undone_with_and_without_raw_json(typed: str, shown: str) -> None:
    raw = json.dumps(listing(comment(typed, body_html="<p>x</p>")))
    escaped = raw.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert post_of(raw.encode()).text == post_of(escaped.encode()).text == shown


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"selftext": "It hums."}, "Which lamp?\n\nIt hums."),
        ({"selftext": ""}, "Which lamp?"),
        ({"poll_data": {"options": [{"text": "Warm"}, {"text": "Cold"}]}}, "Which lamp?\n\n- Warm\n- Cold"),
    ],
)
def test_a_submission_has_a_title(fields: dict[str, Any], text: str) -> None:
    found = post_of(submission(**fields))
    assert (found.text, found.kind, found.native_thread_id) == (text, "public_post", None)


GALLERY = {
    "media_metadata": {"m1": {"e": "Image", "s": {"u": "https://p.example/1?a=1&b=2"}}, "m2": {"e": "RedditVideo"}},
    "gallery_data": {"items": [{"media_id": "m2"}, {"media_id": "m1", "caption": "Dark"}]},
}
VIDEO = {"is_video": True, "media": {"reddit_video": {"fallback_url": "https://v.example/a", "duration": 7}}}


@pytest.mark.parametrize(
    ("fields", "media"),
    [
        (GALLERY, [("video", None, None), ("image", "https://p.example/1?a=1&b=2", "Dark")]),
        (VIDEO, [("video", "https://v.example/a", None)]),
        ({"is_self": False, "url": "https://l.example/a.png"}, [("image", "https://l.example/a.png", None)]),
        ({"is_self": False, "url": "/r/a/comments/1/"}, [("file", "https://www.reddit.com/r/a/comments/1/", None)]),
        (
            {"is_self": False, "url": "https://y.example/v", "post_hint": "rich:video"},
            [("video", "https://y.example/v", None)],
        ),
        ({"is_self": True, "url": "https://www.reddit.com/r/lumora/"}, []),
    ],
)
def test_what_a_submission_shows_is_attached(fields: dict[str, Any], media: list[Any]) -> None:
    assert [(each.kind, each.url, each.alt_text) for each in post_of(submission(**fields)).media] == media


@pytest.mark.parametrize(
    ("fields", "author", "thread", "text"),
    [
        ({}, "marta_r", None, "A lamp\n\nWhy?"),
        (
            {"parent_id": "t4_000", "first_message_name": "t4_000", "subject": "re: A lamp"},
            "marta_r",
            "t4_000",
            "re: A lamp\n\nWhy?",
        ),
        ({"author": None, "subreddit": "lamps"}, "r/lamps", None, "A lamp\n\nWhy?"),
    ],
)
def test_private_messages_are_heard(fields: dict[str, Any], author: str, thread: str | None, text: str) -> None:
    found = post_of(listing(message("Why?", **fields)))
    assert found.author is not None
    assert (found.kind, found.author.id, found.native_thread_id, found.text) == ("direct_message", author, thread, text)


@pytest.mark.parametrize(("account", "own"), [("marta_r", True), ("u/Marta_R", True), ("t2_marta7", True), ("", False)])
def test_the_account_is_known_by_name_or_id(account: str, own: bool) -> None:  # noqa: FBT001
    (found,) = normalize(json.dumps(comment("Why?")).encode(), Account(id=account))
    assert isinstance(found, RawPost)
    assert found.own is own


def test_modmail_is_a_conversation() -> None:
    def mail(name: str, author: str, **fields: Any) -> dict[str, Any]:
        return {
            "id": name,
            "author": {"name": author},
            "bodyMarkdown": f"By {author}",
            "date": "2026-11-22T08:00:00Z",
            **fields,
        }

    keys = [{"id": name, "key": "messages"} for name in ("a", "b", "c")]
    messages = {"a": mail("a", "marta_r"), "b": mail("b", "LumoraLamps"), "c": mail("c", "mod", isInternal=True)}
    first, second, note = read({"conversation": {"id": "9z", "subject": "Lamp", "objIds": keys}, "messages": messages})
    assert isinstance(first, RawPost)
    assert isinstance(second, RawPost)
    assert (first.text, first.native_thread_id, first.own) == ("Lamp\n\nBy marta_r", "modmail_9z", False)
    assert (second.text, second.own, isinstance(note, Ignored)) == ("By LumoraLamps", True, True)


def test_archives_hold_one_thing_a_line() -> None:
    lines = "\n".join(json.dumps(each["data"]) for each in (submission(), comment("Why?")))
    assert [each.native_id for each in read(lines.encode()) if isinstance(each, RawPost)] == ["t3_1lamps", "t1_lumo7aa"]
