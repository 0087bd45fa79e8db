"""Trustpilot: webhook events, answers, product reviews, and texts that are null."""

import json
from typing import Any

import pytest

from services.ingest.connector import Account, Ignored, Outcome, Reason
from services.ingest.connectors.trustpilot import normalize
from services.ingest.rawpost import RawPost
from tests.unit.ingest.connectors.specimens.trustpilot import event, review


def read(document: Any) -> list[Outcome]:
    return normalize(json.dumps(document).encode(), Account())


def only(document: Any) -> RawPost:
    [found] = read(document)
    assert isinstance(found, RawPost)
    return found


def test_stars_alone_are_a_review() -> None:
    found = only(review(title=None, text=None))
    assert (found.rating, found.text) == (1, None)


def test_a_review_event_brings_the_review() -> None:
    data = review(
        title="Late", text="Three weeks", consumer={"id": "c-7", "name": "Ingrid"}, link="https://tp.example/r"
    )
    found = only(event("service-review-created", data))
    assert (found.change, found.text, found.permalink) == ("created", "Late\n\nThree weeks", "https://tp.example/r")
    assert found.author is not None
    assert (found.author.id, found.author.display_name) == ("c-7", "Ingrid")


@pytest.mark.parametrize(
    ("updated_at", "revision"), [("2026-11-09T10:00:00Z", 1794218400), ("2026-11-05T07:30:00.000Z", 2), (None, 2)]
)
def test_an_event_of_an_update_is_an_edit(updated_at: str | None, revision: int) -> None:
    found = only(event("service-review-updated", review(text="Solved", updatedAt=updated_at)))
    assert (found.change, found.revision) == ("edited", revision)


def test_an_answer_is_our_own_post_beneath_its_review() -> None:
    reply = {"text": "Sorry!", "createdAt": "2026-11-06T08:00:00Z", "updatedAt": "2026-11-06T09:00:00Z"}
    _, found = read(review(text="Late", companyReply=reply))
    assert isinstance(found, RawPost)
    assert (found.own, found.native_parent_id, found.change) == (True, "6911lum", "edited")
    assert found.revision == 1793955600


def test_a_product_review_has_content_media_and_a_comment() -> None:
    files = [{"url": "https://m.example/s.jpg"}, {"url": "https://m.example/f.mp4", "mimeType": "video/mp4"}]
    told = {"id": "p1", "stars": 4, "content": "Warm light", "attachments": [{"processedFiles": files}]}
    said, answered = read({"productReviews": [{**told, "firstCompanyComment": {"comment": "Thanks"}}]})
    assert isinstance(said, RawPost)
    assert isinstance(answered, RawPost)
    assert (said.text, [each.url for each in said.media]) == ("Warm light", ["https://m.example/f.mp4"])
    assert (answered.text, answered.native_id) == ("Thanks", "p1:reply")


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (event("service-review-created", {"id": "6911lum"}), Reason.IDS_ONLY),
        (event("service-review-deleted", {}), Reason.NO_ID),
        (event("invitation-sent", {"id": "i1"}), Reason.NO_POST),
        ({"message": "Unauthorized"}, Reason.NO_POST),
        ({"reviews": []}, Reason.NO_POST),
    ],
)
def test_what_brings_no_review_says_why(document: Any, reason: Reason) -> None:
    [found] = read(document)
    assert isinstance(found, Ignored)
    assert found.reason is reason
