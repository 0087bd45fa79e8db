"""Threads: a reply to a post of the account."""

from typing import Any

from services.ingest.connector import Account
from tests.unit.ingest.connectors.specimen import Specimen

ACCOUNT = "290014477"


def delivery(field: str, **value: Any) -> dict[str, Any]:
    """A delivery of one change."""
    return {
        "app_id": "7701",
        "topic": "moderate",
        "target_id": "18001",
        "time": 1795338003,
        "subscription_id": "5",
        "values": {"field": field, "value": {"id": "18044", **value}},
    }


def reply(**value: Any) -> dict[str, Any]:
    """A reply of a person."""
    return delivery(
        "replies",
        **{
            "username": "marta.riva",
            "media_type": "TEXT_POST",
            "permalink": "https://www.threads.com/@marta.riva/post/Lm",
            "replied_to": {"id": "18020"},
            "root_post": {"id": "18001", "owner_id": ACCOUNT, "username": "lumora"},
            "timestamp": "2026-11-22T08:20:00+0000",
        }
        | value,
    )


SPECIMEN = Specimen(
    network="threads",
    account=Account(id=ACCOUNT),
    created=lambda text: reply(text=text),
    edited=None,  # edits are never told
    deleted=delivery("delete", deleted_at="2026-11-22T08:30:00+0000"),
    own=delivery("publish", text="Our new lamp", username="lumora", timestamp="2026-11-22T08:00:00+0000"),
    media_only=reply(media_type="IMAGE", media_url="https://cdn.example/lamp.jpg", alt_text="a lamp"),
    minimal={"data": [{"id": "18055", "text": "So bright"}]},
)
