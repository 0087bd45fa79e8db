"""Apple App Store: a review of the Lumora app in App Store Connect."""

from typing import Any

from tests.unit.ingest.connectors.specimen import Specimen

ANSWER = {
    "type": "customerReviewResponses",
    "id": "5f0e-answer",
    "attributes": {"responseBody": "Please update to 5.4.1.", "lastModifiedDate": "2026-11-08T10:00:00-08:00"},
    "relationships": {"review": {"data": {"type": "customerReviews", "id": "00000041-lum"}}},
}


def review(**attributes: Any) -> dict[str, Any]:
    return {"type": "customerReviews", "id": "00000041-lum", "attributes": attributes}


def _created(text: str) -> dict[str, Any]:
    told = {
        "rating": 1,
        "title": None,
        "body": text,
        "reviewerNickname": "lampenfan",
        "createdDate": "2026-11-07T08:10:34-08:00",
        "territory": "DEU",
    }
    return {"data": [review(**told)], "links": {"self": "https://api.example/v1/apps/1/customerReviews"}}


SPECIMEN = Specimen(
    network="apple_app_store",
    created=_created,
    edited=None,  # a rewritten review does not say that it is one
    deleted=None,
    own={"data": ANSWER},
    media_only=None,
    minimal={"data": review(rating=3)},
)
