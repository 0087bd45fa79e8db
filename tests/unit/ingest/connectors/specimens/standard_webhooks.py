"""Standard Webhooks: an event of a shop's own forum."""

from typing import Any

from tests.unit.ingest.connectors.specimen import Specimen


def event(kind: str, /, **data: Any) -> dict[str, Any]:
    post = {"kind": "public_comment", "native_id": "forum-7", **data}
    return {"type": kind, "timestamp": "2026-11-20T09:00:00Z", "data": post}


def _created(text: str) -> dict[str, Any]:
    return event("post.created", author={"id": "u1"}, text=text, language="it", create_time="2026-11-20T08:59:58Z")


def _edited(text: str) -> dict[str, Any]:
    return event("post.edited", author={"id": "u1"}, text=text, revision=2)


SPECIMEN = Specimen(
    network="standard_webhooks",
    created=_created,
    edited=_edited,
    deleted=event("post.deleted"),
    own=event("post.created", own=True, text="Welcome!"),
    media_only=event("post.created", author={"id": "u1"}, media=[{"kind": "image"}]),
    minimal=event("post.created", author={"id": "u1"}, text="Hi"),
)
