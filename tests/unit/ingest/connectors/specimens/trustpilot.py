"""Trustpilot: a review of the Lumora shop."""

from typing import Any

from tests.unit.ingest.connectors.specimen import Specimen


def review(**fields: Any) -> dict[str, Any]:
    return {"id": "6911lum", "stars": 1, "createdAt": "2026-11-05T07:30:00.000Z", "updatedAt": None, **fields}


def event(name: str, data: dict[str, Any]) -> dict[str, Any]:
    return {"events": [{"eventName": name, "version": "1.0.0", "eventData": data}]}


def _created(text: str) -> dict[str, Any]:
    consumer = {"id": "c-77", "displayName": "Ingrid", "numberOfReviews": 2}
    told = review(title=None, text=text, language="sv", consumer=consumer, companyReply=None, isVerified=True)
    return {"links": [], "reviews": [told]}


def _edited(text: str) -> dict[str, Any]:
    return {"reviews": [review(text=text, stars=4, updatedAt="2026-11-09T10:00:00.000Z")]}


SPECIMEN = Specimen(
    network="trustpilot",
    created=_created,
    edited=_edited,
    deleted=event("service-review-deleted", {"id": "6911lum"}),
    own=None,  # an answer comes inside its review, as a second post
    media_only={
        "productReviews": [
            {
                "id": "6911prd",
                "stars": None,
                "content": None,
                "attachments": [{"processedFiles": [{"url": "https://media.lumora.example/1.jpg"}]}],
            }
        ]
    },
    minimal={"id": "6911min", "stars": 3, "createdAt": "2026-11-05T07:30:00"},
)
