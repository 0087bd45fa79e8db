"""Google Business Profile: translations, answers, media, batches, and notifications that only name a review."""

import base64
import json
from typing import Any

import pytest

from services.ingest.connector import Account, Ignored, Outcome, Reason
from services.ingest.connectors.google_business_profile import normalize
from services.ingest.rawpost import RawPost
from tests.unit.ingest.connectors.specimens.google_business_profile import review

NAME = "accounts/1/locations/2/reviews/AbFvOq-lum"


def read(document: Any) -> list[Outcome]:
    return normalize(json.dumps(document).encode(), Account())


def pushed(data: Any) -> dict[str, Any]:
    encoded = base64.b64encode(json.dumps(data).encode()).decode()
    return {"message": {"data": encoded, "messageId": "1"}, "subscription": "projects/lumora/subscriptions/reviews"}


@pytest.mark.parametrize(
    ("comment", "text"),
    [
        ("(Translated by Google) Lovely\n\n(Original)\nBella", "Bella"),
        ("Bella\n\n(Translated by Google)\nLovely", "Bella"),
        ("(Translated by Google) Lovely", "Lovely"),
        ("Bella (Original)", "Bella (Original)"),
    ],
)
def test_the_original_is_kept_without_its_translation(comment: str, text: str) -> None:
    [found] = read(review(comment=comment))
    assert isinstance(found, RawPost)
    assert found.text == text


def test_a_review_alone_is_named_by_the_end_of_its_name() -> None:
    [found] = read({"name": NAME, "starRating": "ONE", "reviewer": {"isAnonymous": True}})
    assert isinstance(found, RawPost)
    assert (found.native_id, found.rating, found.author and found.author.display_name) == ("AbFvOq-lum", 1, None)


def test_a_batch_holds_each_review_beside_its_place() -> None:
    [found] = read({"locationReviews": [{"name": "locations/2", "review": review(starRating="FIVE")}]})
    assert isinstance(found, RawPost)
    assert found.rating == 5


def test_an_answer_is_our_own_post_beneath_its_review() -> None:
    reply = {"comment": "Ci dispiace", "updateTime": "2026-11-07T00:00:00Z", "reviewReplyState": "PENDING"}
    _, found = read(review(starRating="ONE", reviewReply=reply))
    assert isinstance(found, RawPost)
    assert (found.own, found.text, found.native_parent_id) == (True, "Ci dispiace", "AbFvOq-lum")


def test_an_answer_that_was_refused_answers_nothing() -> None:
    _, found = read(review(starRating="ONE", reviewReply={"comment": "Call us", "reviewReplyState": "REJECTED"}))
    assert isinstance(found, Ignored)
    assert found.reason is Reason.NO_POST


def test_media_are_films_or_pictures() -> None:
    items = [
        {"thumbnailUrl": "https://m.example/1"},
        {"thumbnailUrl": "https://m.example/2", "videoUrl": "https://m.example/3"},
    ]
    [found] = read(review(reviewMediaItems=items))
    assert isinstance(found, RawPost)
    assert [(each.kind, each.url) for each in found.media] == [
        ("image", "https://m.example/1"),
        ("video", "https://m.example/3"),
    ]


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (pushed({"type": "NEW_REVIEW", "review": NAME, "location": "locations/2"}), Reason.IDS_ONLY),
        (pushed({"notificationType": "UPDATED_REVIEW", "reviewName": NAME}), Reason.IDS_ONLY),
        ({"receivedMessages": [pushed({"type": "UPDATED_REVIEW", "review": NAME})]}, Reason.IDS_ONLY),
        (pushed({"type": "GOOGLE_UPDATE", "location": "locations/2"}), Reason.NO_POST),
        ({"message": {"data": "no base64!"}}, Reason.MALFORMED),
        ({"error": {"code": 429}}, Reason.NO_POST),
        ({"comment": "Grazie", "updateTime": "2026-11-07T00:00:00Z"}, Reason.NO_POST),
    ],
)
def test_what_brings_no_review_says_why(document: Any, reason: Reason) -> None:
    [found] = read(document)
    assert isinstance(found, Ignored)
    assert found.reason is reason
