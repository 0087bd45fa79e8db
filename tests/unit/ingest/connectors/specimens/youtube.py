"""YouTube: a comment under a video, in a page of threads."""

from typing import Any

from services.ingest.connector import Account
from tests.unit.ingest.connectors.specimen import Specimen

PUBLISHED, UPDATED = "2026-11-22T08:30:00Z", "2026-11-22T08:41:00Z"


def comment(text: str, own_id: str = "UgyLumora1", channel: str = "UCmarta", **fields: Any) -> dict[str, Any]:
    snippet = {
        "textOriginal": text,
        "textDisplay": "shown otherwise",
        "authorDisplayName": "@marta_r",
        "authorChannelId": {"value": channel},
        "publishedAt": PUBLISHED,
        "updatedAt": PUBLISHED,
        **fields,
    }
    return {"kind": "youtube#comment", "id": own_id, "snippet": snippet}


def thread(top: dict[str, Any], *answers: dict[str, Any]) -> dict[str, Any]:
    item: dict[str, Any] = {
        "kind": "youtube#commentThread",
        "id": top["id"],
        "snippet": {"videoId": "v1deo", "topLevelComment": top, "totalReplyCount": len(answers)},
    }
    return item | ({"replies": {"comments": list(answers)}} if answers else {})


def _created(text: str) -> dict[str, Any]:
    return {"kind": "youtube#commentThreadListResponse", "items": [thread(comment(text))]}


def _edited(text: str) -> dict[str, Any]:
    return {"kind": "youtube#commentListResponse", "items": [comment(text, updatedAt=UPDATED)]}


SPECIMEN = Specimen(
    network="youtube",
    account=Account(id="UClumora"),
    created=_created,
    edited=_edited,
    deleted=None,  # a deleted comment is only absent when the thread is read again
    own=comment("Grazie!", "UgyLumora1.9a", "UClumora", parentId="UgyLumora1"),
    media_only=comment("", textDisplay="", imageUrl="https://yt3.example/i.png"),
    minimal={"kind": "youtube#comment", "id": "UgyLumora2", "snippet": {"textDisplay": "Bella!"}},
)
