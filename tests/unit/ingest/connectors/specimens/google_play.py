"""Google Play: a review of the Lumora app."""

from typing import Any

from tests.unit.ingest.connectors.specimen import Specimen


def user(text: str, seconds: str = "1795000000", **fields: Any) -> dict[str, Any]:
    return {"userComment": {"text": text, "lastModified": {"seconds": seconds, "nanos": 5}, "starRating": 1, **fields}}


def developer(text: str, seconds: str) -> dict[str, Any]:
    return {"developerComment": {"text": text, "lastModified": {"seconds": seconds}}}


def page(*comments: dict[str, Any]) -> dict[str, Any]:
    return {"reviews": [{"reviewId": "gp:LUM-1", "authorName": "Bram Hollis", "comments": list(comments)}]}


def _created(text: str) -> dict[str, Any]:
    return page(user(f"\t{text}", reviewerLanguage="nl", device="oriole"))


SPECIMEN = Specimen(
    network="google_play",
    created=_created,
    edited=None,  # an edit is proven by an older answer only, which is a second post
    deleted=None,
    own=page(developer("Please update to 5.4.1.", "1795000600")),
    media_only=None,
    minimal={"reviews": [{"reviewId": "gp:LUM-2", "comments": [{"userComment": {"text": "Ok", "starRating": 3}}]}]},
)
