"""What is special in Facebook pages: many items and verbs, ids in two forms, comments within comments."""

from typing import Any, Final

import pytest

from services.ingest.connector import Account, Reason
from tests.unit.ingest.connectors.meta_payloads import PAGE, change, event, outcomes, posts, reasons, the_post

NETWORK: Final = "facebook_page"
POST: Final = f"{PAGE}_7710045"
PHOTO: Final = "https://cdn.example/1.jpg"
VIDEO: Final = "https://cdn.example/1.mp4"


def feed(item: str, verb: str = "add", **value: Any) -> dict[str, Any]:
    return change("feed", item=item, verb=verb, post_id=POST, **value)


@pytest.mark.parametrize(
    ("value", "media"),
    [
        ({"item": "photo", "link": PHOTO}, [("image", PHOTO)]),
        ({"item": "video", "link": VIDEO, "message": "Look"}, [("video", VIDEO)]),
        (
            {"item": "status", "photos": [PHOTO, "https://cdn.example/2.jpg"]},
            [("image", PHOTO), ("image", PHOTO[:-5] + "2.jpg")],
        ),
        ({"item": "share", "link": "https://lumora.example", "message": "Read"}, []),
        ({"item": "comment", "comment_id": "7_8", "video": VIDEO}, [("video", VIDEO)]),
    ],
)
def test_the_media_of_an_item_are_those_that_it_names(value: dict[str, Any], media: list[tuple[str, str]]) -> None:
    found = the_post(NETWORK, change("feed", verb="add", post_id=POST, **value))
    assert [(each.kind, each.url) for each in found.media] == media


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ({"item": "comment", "verb": "hide", "comment_id": "7_8", "message": "Bad"}, Reason.NO_POST),
        ({"item": "reaction", "verb": "add", "reaction_type": "love"}, Reason.NO_POST),
        ({"item": "like", "verb": "add"}, Reason.NO_POST),
        ({"item": "video", "verb": "block", "message": "Look"}, Reason.NO_POST),
        ({"item": "event", "verb": "add", "story": "Lumora added an event."}, Reason.NO_POST),
        ({"item": "comment", "verb": "add", "comment_id": "7_8"}, Reason.IDS_ONLY),
        ({"item": "comment", "verb": "add", "comment_id": "7_8", "message": ""}, Reason.NO_CONTENT),
        ({"item": "comment", "verb": "add", "message": "Hi"}, Reason.NO_ID),
    ],
)
def test_what_is_no_post_has_its_reason(value: dict[str, Any], reason: Reason) -> None:
    assert reasons(NETWORK, change("feed", **{"post_id": POST} | value)) == [reason]


@pytest.mark.parametrize("verb", ["edit", "edited"])
def test_an_edit_has_the_second_of_the_delivery_as_revision(verb: str) -> None:
    found = the_post(NETWORK, feed("post", verb, message="Now in blue", created_time=1795330000))
    assert (found.change, found.revision) == ("edited", 1795338002)
    assert found.create_time is not None
    assert found.create_time.timestamp() == 1795330000


def test_a_removed_post_is_deleted_under_the_id_it_was_added_with() -> None:
    added, removed = (the_post(NETWORK, feed("post", verb, message="Hi")) for verb in ("add", "remove"))
    assert (removed.change, removed.native_id, removed.author, removed.text) == ("deleted", added.native_id, None, None)


def test_a_reply_has_the_comment_as_parent_and_the_post_as_thread() -> None:
    found = the_post(NETWORK, feed("comment", comment_id="7710045_9", parent_id="7710045_8", message="Me too"))
    assert (found.native_thread_id, found.native_parent_id) == (POST, "7710045_8")


def test_every_change_of_every_entry_is_read() -> None:
    first, second = feed("post", message="One"), event(message={"mid": "m_1", "text": "Two"})
    first["entry"] += second["entry"]
    first["entry"][0]["changes"] *= 2
    assert [each.text for each in posts(NETWORK, first)] == ["One", "One", "Two"]
    assert [each.network for each in posts(NETWORK, first)] == [NETWORK] * 3


def test_a_comment_below_a_review_is_in_the_thread_of_the_review() -> None:
    review = change("ratings", item="rating", verb="add", open_graph_story_id=4410, reviewer_id=5, rating=2)
    comment = change(
        "ratings",
        item="comment",
        verb="add",
        comment_id="4410_9",
        post_id="5_4410",
        parent_id="5_4410",
        message="Sorry",
    )
    found, answer = the_post(NETWORK, review), the_post(NETWORK, comment)
    assert (found.kind, found.rating, found.author and found.author.id) == ("review", 2, "5")
    assert answer.native_thread_id == answer.native_parent_id == found.native_id


def test_a_recommendation_without_words_says_nothing() -> None:
    value: dict[str, Any] = {
        "item": "rating",
        "verb": "add",
        "open_graph_story_id": 4410,
        "recommendation_type": "NEGATIVE",
    }
    assert reasons(NETWORK, change("ratings", **value)) == [Reason.NO_CONTENT]


def test_comments_of_a_listed_post_are_read_with_it() -> None:
    reply = {"id": "7710045_9", "message": "Yes", "from": {"id": PAGE}, "created_time": "2026-11-22T08:21:00+0000"}
    comment = {"id": "7710045_8", "message": "Is it bright?", "comments": {"data": [reply]}}
    post = {"id": POST, "message": "Our lamp", "comments": {"data": [comment]}}
    found = posts(NETWORK, {"data": [post]}, Account(id=PAGE))
    assert [each.kind for each in found] == ["public_post", "public_comment", "public_comment"]
    assert [each.native_parent_id for each in found] == [None, POST, "7710045_8"]
    assert [each.native_thread_id for each in found] == [None, POST, POST]
    assert [each.own for each in found] == [False, False, True]


@pytest.mark.parametrize(
    ("answer", "thread"),
    [
        ({"permalink_url": f"https://www.facebook.com/{PAGE}/posts/7710045/?comment_id=8"}, POST),
        ({"permalink_url": "https://www.facebook.com/lumora/posts/pfbid0abc?comment_id=8", "id": "7710045_8"}, POST),
        ({"id": "7710045_8", "comment_count": 0}, POST),
        ({"id": "7710045_8", "parent": {"id": "7710045_2"}}, POST),
    ],
)
def test_a_listed_comment_is_named_as_webhooks_name_it(answer: dict[str, Any], thread: str) -> None:
    found = the_post(NETWORK, {"data": [answer | {"message": "Is it bright?"}]}, Account(id=PAGE))
    assert (found.kind, found.native_id, found.native_thread_id) == ("public_comment", "7710045_8", thread)


def test_the_address_of_the_next_page_tells_of_which_post_comments_are() -> None:
    listed = {
        "data": [{"id": "7710045_8", "message": "Is it bright?", "created_time": "2026-11-22T08:21:00+0000"}],
        "paging": {"next": f"https://graph.facebook.com/v25.0/{POST}/comments?limit=1&after=x"},
    }
    found = the_post(NETWORK, listed)
    assert (found.kind, found.native_thread_id) == ("public_comment", POST)


def test_objects_that_were_asked_for_by_ids_are_each_read() -> None:
    answer = {
        each: {"id": each, "message": "Hi", "created_time": "2026-11-22T08:21:00+0000"} for each in ("1_2", "1_3")
    }
    assert [each.native_id for each in posts(NETWORK, answer)] == ["1_2", "1_3"]


def test_attachments_are_media_and_previews_of_pages_are_not() -> None:
    photo = {"media_type": "photo", "media": {"image": {"src": PHOTO}}}
    video = {"type": "video_inline", "media": {"source": VIDEO}}
    share = {"media_type": "link", "media": {"image": {"src": "https://cdn.example/preview.jpg"}}}
    album = {"media_type": "album", "subattachments": {"data": [photo, video]}}
    found = the_post(NETWORK, {"id": POST, "message": "New", "attachments": {"data": [album, share]}})
    assert [(each.kind, each.url) for each in found.media] == [("image", PHOTO), ("video", VIDEO)]


def test_mentions_are_counted_in_code_points() -> None:
    tag = {"id": PAGE, "name": "Lumora", "offset": 2, "length": 6}
    found = the_post(NETWORK, feed("post", message="💡 Lumora!", message_tags=[tag]))
    assert [(each.kind, (found.text or "")[each.start : each.end], each.target) for each in found.spans] == [
        ("mention", "Lumora", PAGE)
    ]


def test_a_listed_review_is_named_by_its_story() -> None:
    review = {
        "reviewer": {"id": "5", "name": "Marta"},
        "review_text": "Warm light",
        "recommendation_type": "positive",
        "created_time": "2026-11-22T08:21:00+0000",
        "open_graph_story": {"id": "4410"},
    }
    found = the_post(NETWORK, {"data": [review]})
    assert (found.kind, found.native_id, found.text, found.rating) == ("review", "4410", "Warm light", None)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"error": {"message": "Invalid OAuth access token.", "code": 190}}, Reason.NO_POST),
        ({"id": POST}, Reason.NO_POST),
        ({"data": [{"id": "5", "name": "Marta"}]}, Reason.NO_POST),
        ({"data": []}, Reason.NO_POST),
        (change("leadgen", leadgen_id="1"), Reason.NO_POST),
        (change("conversations", thread_id="t_1"), Reason.IDS_ONLY),
        (b"<html>", Reason.MALFORMED),
    ],
)
def test_answers_without_posts_say_why(content: Any, reason: Reason) -> None:
    assert [each.reason for each in outcomes(NETWORK, content)] == [reason]  # type: ignore[union-attr]


def test_a_recorded_request_is_read_by_its_body() -> None:
    recorded = {"headers": {"X-Hub-Signature-256": "sha256=0"}, "body": feed("post", message="Hi")}
    assert the_post(NETWORK, recorded).text == "Hi"
