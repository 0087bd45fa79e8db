"""What is special in Instagram: comments without a time, replies in replies, posts of others, stories."""

from typing import Any, Final

import pytest

from services.ingest.connector import Account, Reason
from tests.unit.ingest.connectors.meta_payloads import PAGE, PERSON, change, event, posts, reasons, the_post

NETWORK: Final = "instagram"
URL: Final = "https://cdn.example/a.jpg"


def comment(field: str = "comments", **value: Any) -> dict[str, Any]:
    known = {"id": "1790", "text": "So bright", "from": {"id": "44", "username": "marta.r"}, "media": {"id": "1780"}}
    return change(field, "instagram", **known | value)


def test_a_comment_stands_below_its_post_and_is_as_old_as_the_delivery() -> None:
    found = the_post(NETWORK, comment())
    assert (found.native_thread_id, found.native_parent_id) == ("1780", "1780")
    assert found.create_time is not None
    assert found.create_time.timestamp() == 1795338002
    assert found.author is not None
    assert (found.author.id, found.author.handle) == ("44", "marta.r")


@pytest.mark.parametrize(
    ("value", "parent"), [({"parent_id": "1777"}, "1777"), ({"media": None}, None), ({"comment_id": "1"}, "1780")]
)
def test_the_parent_of_a_comment_is_what_it_answers(value: dict[str, Any], parent: str | None) -> None:
    assert the_post(NETWORK, comment(**value)).native_parent_id == parent


@pytest.mark.parametrize("value", [{"from": {"id": PAGE}}, {"from": {"id": "9", "self_ig_scoped_id": "9"}}])
def test_our_own_comments_are_known(value: dict[str, Any]) -> None:
    assert the_post(NETWORK, comment(**value)).own


def test_a_change_without_a_list_around_it_is_read() -> None:
    delivery = comment()
    delivery["entry"][0] |= delivery["entry"][0].pop("changes")[0]
    assert the_post(NETWORK, [delivery]).text == "So bright"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (change("mentions", "instagram", media_id="1", comment_id="2"), Reason.IDS_ONLY),
        (comment(text=None), Reason.IDS_ONLY),
        (change("story_insights", "instagram", media_id="1", impressions=4), Reason.NO_POST),
        (event("instagram", read={"mid": "m"}), Reason.NO_POST),
        ({"object": "instagram", "entry": [{"id": PAGE, "messaging": [{"read": {"mid": "m"}}]}]}, Reason.NO_POST),
        (event("instagram", message={"mid": "m", "is_unsupported": True}), Reason.NO_CONTENT),
        ({"id": "178", "status_code": "FINISHED"}, Reason.NO_POST),
        ({"id": "178"}, Reason.NO_POST),
        ({"id": "178", "username": "marta.r", "followers_count": 4}, Reason.NO_POST),
        ({"error": {"message": "Unsupported request", "code": 100}}, Reason.NO_POST),
    ],
)
def test_what_is_no_post_has_its_reason(content: Any, reason: Reason) -> None:
    assert reasons(NETWORK, content) == [reason]


def test_an_answer_to_a_story_has_the_story_as_parent() -> None:
    message = {"mid": "aWdf1", "text": "Nice", "reply_to": {"story": {"id": "1785", "url": URL}}}
    found = the_post(NETWORK, event("instagram", message=message))
    assert (found.native_parent_id, found.native_thread_id) == ("1785", PERSON)


@pytest.mark.parametrize(
    ("kind", "media"), [("story_mention", "file"), ("ig_reel", "video"), ("unsupported_type", "file")]
)
def test_what_is_shared_in_a_message_is_a_file(kind: str, media: str) -> None:
    attachment = {"type": kind, "payload": {"url": URL}}
    found = the_post(NETWORK, event("instagram", message={"mid": "aWdf1", "attachments": [attachment]}))
    assert [(each.kind, each.url) for each in found.media] == [(media, URL)]


def test_listed_replies_know_their_comment_and_their_post() -> None:
    reply = {"id": "3", "text": "Thanks", "username": "lumora", "timestamp": "2026-11-22T08:21:00+0000"}
    outer = {"id": "2", "text": "So bright", "username": "marta.r", "replies": {"data": [reply]}}
    listed = {"data": [outer], "paging": {"next": "https://graph.facebook.com/v25.0/1780/comments?after=x"}}
    found = posts(NETWORK, listed, Account(id="lumora"))
    assert [(each.native_thread_id, each.native_parent_id) for each in found] == [("1780", "1780"), ("1780", "2")]
    assert [each.own for each in found] == [False, True]


def test_a_list_of_replies_names_its_comment_in_its_address() -> None:
    paging = {"next": "https://graph.instagram.com/v25.0/1790/replies?after=x"}
    found = the_post(NETWORK, {"data": [{"id": "3", "text": "Thanks"}], "paging": paging})
    assert (found.native_parent_id, found.native_thread_id) == ("1790", None)


def test_a_listed_post_is_read_with_its_pictures_and_comments() -> None:
    pictures = [{"id": "5", "media_type": "IMAGE", "media_url": URL}, {"id": "6", "media_type": "VIDEO"}]
    post = {
        "id": "1780",
        "caption": "Our lamp",
        "media_type": "CAROUSEL_ALBUM",
        "permalink": "https://www.instagram.com/p/x/",
        "owner": {"id": PAGE},
        "username": "lumora",
        "children": {"data": pictures},
        "comments": {"data": [{"id": "2", "text": "So bright"}]},
    }
    first, second = posts(NETWORK, {"data": [post]}, Account(id=PAGE))
    assert (first.kind, first.own, [each.kind for each in first.media]) == ("public_post", True, ["image", "video"])
    assert (second.native_thread_id, second.native_parent_id) == ("1780", "1780")


def test_posts_of_another_business_are_found_inside_of_it() -> None:
    media = {"data": [{"id": "1", "caption": "Hi", "media_type": "IMAGE"}]}
    answer = {"business_discovery": {"id": "7", "username": "alba", "media": media}, "id": PAGE}
    assert [each.text for each in posts(NETWORK, answer)] == ["Hi"]


def test_a_list_of_ids_must_be_fetched() -> None:
    paging = {"next": "https://graph.facebook.com/v25.0/1780/comments?after=x"}
    assert reasons(NETWORK, {"data": [{"id": "1"}, {"id": "2"}], "paging": paging}) == [Reason.IDS_ONLY] * 2
