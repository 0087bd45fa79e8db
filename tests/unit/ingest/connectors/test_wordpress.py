"""What is special about WordPress: members and guests, states of moderation, and the shapes of its APIs."""

import json
from typing import Any, Final

import pytest

from services.ingest.connector import Account, Ignored, Outcome, Reason
from services.ingest.connectors.wordpress import normalize
from services.ingest.rawpost import RawPost
from tests.unit.ingest.connectors.specimens.wordpress import comment

ACCOUNT: Final = Account(id="1", url="https://lumora.example")
REST: Final = "lumora.example/wp-json/wp/v2"


def outcomes(content: Any, account: Account = ACCOUNT) -> list[Outcome]:
    return normalize(json.dumps(content).encode(), account)


def the_post(content: Any, account: Account = ACCOUNT) -> RawPost:
    (outcome,) = outcomes(content, account)
    assert isinstance(outcome, RawPost), outcome
    return outcome


@pytest.mark.parametrize(("parent", "answers"), [(0, None), (30, f"{REST}/comments/30"), ("0", None)])
def test_a_comment_is_in_the_thread_of_its_post(parent: Any, answers: str | None) -> None:
    raw = the_post(comment("Ciao", parent=parent))
    assert (raw.native_id, raw.native_thread_id) == (f"{REST}/comments/31", f"{REST}/posts/12")
    assert raw.native_parent_id == answers


@pytest.mark.parametrize(
    ("fields", "author"),
    [
        ({"author": 7}, f"{REST}/users/7"),
        ({"author": 0, "author_name": "Marta"}, "guest:Marta"),
        ({"author": 0, "author_name": "1"}, "guest:1"),
        ({"author": 0, "author_email": "Marta@Example.net"}, "marta@example.net"),
        ({"author": 0, "author_name": ""}, None),
    ],
)
def test_members_are_known_by_number_and_guests_by_what_they_gave(fields: dict[str, Any], author: str | None) -> None:
    raw = the_post(comment("Ciao", **fields))
    assert (raw.author.id if raw.author else None, raw.own) == (author, False)


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"status": "hold"}, Reason.NO_POST),
        ({"type": "pingback"}, Reason.AUTOMATIC),
        ({"content": {"rendered": "<p></p>"}}, Reason.NO_CONTENT),
        ({"id": None}, Reason.NO_ID),
    ],
)
def test_what_is_no_public_comment_of_a_person_is_ignored(fields: dict[str, Any], reason: Reason) -> None:
    (outcome,) = outcomes(comment("Ciao", **fields))
    assert isinstance(outcome, Ignored)
    assert outcome.reason is reason


@pytest.mark.parametrize("status", ["trash", "spam"])
def test_a_comment_in_the_bin_is_deleted(status: str) -> None:
    raw = the_post(comment("Ciao", status=status))
    assert (raw.change, raw.native_id, raw.text) == ("deleted", f"{REST}/comments/31", None)


def test_the_time_is_the_one_in_utc() -> None:
    time = the_post(comment("Ciao")).create_time
    assert time
    assert time.isoformat() == "2026-11-22T09:00:00+00:00"
    assert the_post(comment("Ciao", date_gmt=None)).create_time is None  # local time, of an unknown zone


def test_a_list_and_an_envelope_hold_many() -> None:
    assert len(outcomes([comment("a"), comment("b", id=32)])) == 2
    assert len(outcomes({"body": [comment("a")], "status": 200, "headers": {}})) == 1


def test_without_an_account_the_link_names_the_site() -> None:
    assert the_post(comment("Ciao"), Account()).native_id == f"{REST}/comments/31"


def test_a_post_of_the_site_is_its_own_and_may_be_edited() -> None:
    raw = the_post(
        {
            "id": 12,
            "date_gmt": "2026-11-20T09:00:00",
            "modified_gmt": "2026-11-21T09:00:00",
            "status": "publish",
            "type": "post",
            "author": 7,
            "title": {"rendered": "New lamps &amp; more"},
            "content": {"rendered": "<p>Here they are.</p>"},
            "link": "https://lumora.example/new/",
        }
    )
    assert (raw.native_id, raw.text, raw.own) == (f"{REST}/posts/12", "New lamps & more\n\nHere they are.", True)
    assert (raw.change, raw.revision) == ("edited", 1795251600)


WORDPRESS_COM: Final = {
    "ID": 31,
    "post": {"ID": 12, "type": "post", "title": "New lamps"},
    "author": {"ID": 7, "login": "marta_r", "email": False, "name": "Marta"},
    "date": "2026-11-22T10:00:00+01:00",
    "URL": "https://lumora.example/new/#comment-31",
    "content": "<p>Ciao</p>\n",
    "status": "approved",
    "type": "comment",
    "parent": {"ID": 30, "type": "comment"},
}
PLUGIN: Final = {
    "comment_ID": "31",
    "comment_post_ID": "12",
    "comment_author": "Marta",
    "comment_author_email": "marta@example.net",
    "comment_date": "2026-11-22 10:00:00",
    "comment_date_gmt": "2026-11-22 09:00:00",
    "comment_content": "Ciao",
    "comment_approved": "1",
    "comment_type": "comment",
    "comment_parent": "30",
    "user_id": "7",
}


@pytest.mark.parametrize("content", [WORDPRESS_COM, {"found": 1, "comments": [WORDPRESS_COM]}, PLUGIN])
def test_other_apis_say_the_same(content: Any) -> None:
    raw = the_post(content)
    assert raw.author
    assert raw.create_time
    assert (raw.native_id, raw.native_parent_id) == (f"{REST}/comments/31", f"{REST}/comments/30")
    assert (raw.author.id, raw.author.display_name, raw.text) == (f"{REST}/users/7", "Marta", "Ciao")
    assert raw.create_time.timestamp() == 1795338000


def test_a_review_of_a_product_has_stars() -> None:
    raw = the_post(
        {
            "id": 31,
            "product_id": 12,
            "status": "approved",
            "reviewer": "Marta",
            "reviewer_email": "marta@example.net",
            "review": "<p>It flickers.</p>",
            "rating": 2,
            "date_created_gmt": "2026-11-22T09:00:00",
        }
    )
    assert (raw.kind, raw.rating, raw.text) == ("review", 2, "It flickers.")
    assert raw.native_thread_id == f"{REST}/comments/31"


def test_an_error_of_the_api_is_no_post() -> None:
    (outcome,) = outcomes({"code": "rest_comment_flood", "message": "Slow down", "data": {"status": 400}})
    assert isinstance(outcome, Ignored)
    assert outcome.reason is Reason.NO_POST
