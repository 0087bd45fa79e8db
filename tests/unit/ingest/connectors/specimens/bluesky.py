"""Bluesky: a post as Jetstream tells of it."""

from typing import Any

from services.ingest.connector import Account
from tests.unit.ingest.connectors.specimen import Specimen

DID = "did:plc:martamartamartamartamart"
BRAND = "did:plc:lumoralumoralumoralumora"


def frame(operation: str, record: dict[str, Any] | None, did: str = DID, **fields: Any) -> dict[str, Any]:
    commit = {
        "$type": "network.bsky.jetstream.subscribeEvents#commit",
        "seq": 7,
        "did": did,
        "time": "2026-11-22T08:00:01.000000Z",
        "rev": "3m67umdk4ks2a",
        "operation": operation,
        "collection": "app.bsky.feed.post",
        "rkey": "3m67umdk4kq2a",
        **fields,
    }
    return {"$type": "message", "payload": commit if record is None else commit | {"record": record}}


def record(text: str, **fields: Any) -> dict[str, Any]:
    return {
        "$type": "app.bsky.feed.post",
        "text": text,
        "createdAt": "2026-11-22T08:00:00.000Z",
        "langs": ["it"],
        **fields,
    }


def _created(text: str) -> dict[str, Any]:
    return frame("create", record(text))


def _edited(text: str) -> dict[str, Any]:
    return frame("update", record(text))


_IMAGE = {"alt": "A broken lamp", "image": {"$type": "blob", "ref": {"$link": "bafkreia"}, "mimeType": "image/jpeg"}}

SPECIMEN = Specimen(
    network="bluesky",
    account=Account(id=BRAND),
    created=_created,
    edited=_edited,
    deleted=frame("delete", None),
    own=frame("create", record("Ciao!"), did=BRAND),
    media_only=frame("create", record("", embed={"$type": "app.bsky.embed.images", "images": [_IMAGE]})),
    minimal={"uri": f"at://{DID}/app.bsky.feed.post/3m67umdk4kq2a", "value": {"text": "Ciao"}},
)
