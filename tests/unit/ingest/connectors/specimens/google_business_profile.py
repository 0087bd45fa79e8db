"""Google Business Profile: a review of the Lumora shop in Milan."""

from typing import Any

from tests.unit.ingest.connectors.specimen import Specimen

WRITTEN_AT = "2026-11-05T09:00:00.123456789Z"


def review(**fields: Any) -> dict[str, Any]:
    return {"reviewId": "AbFvOq-lum", "createTime": WRITTEN_AT, "updateTime": WRITTEN_AT, **fields}


def _created(text: str) -> dict[str, Any]:
    told = review(comment=text, starRating="TWO", reviewer={"displayName": "Marta R.", "isAnonymous": False})
    return {"reviews": [told], "averageRating": 4.1, "totalReviewCount": 212}


def _edited(text: str) -> dict[str, Any]:
    return {"reviews": [review(comment=text, starRating="FOUR", updateTime="2026-11-06T09:00:00Z")]}


SPECIMEN = Specimen(
    network="google_business_profile",
    created=_created,
    edited=_edited,
    deleted=None,
    own=None,  # an answer comes inside its review, as a second post
    media_only={"reviews": [review(reviewMediaItems=[{"thumbnailUrl": "https://media.lumora.example/1.jpg"}])]},
    minimal={"reviews": [{"reviewId": "r9", "starRating": "FIVE", "createTime": "2026-11-05T09:00:00Z"}]},
)
