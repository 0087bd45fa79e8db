"""Discourse: a reply in a topic of a forum, captured with its headers."""

import html
from typing import Any

from services.ingest.connector import Account
from tests.unit.ingest.connectors.specimen import Specimen


def post(**fields: Any) -> dict[str, Any]:
    return {
        "id": 9317,
        "user_id": 7001,
        "username": "marta_r",
        "name": "Marta Rossi",
        "created_at": "2026-11-22T09:00:00.250Z",
        "updated_at": "2026-11-22T09:00:00.250Z",
        "post_number": 4,
        "post_type": 1,
        "topic_id": 812,
        "topic_slug": "flickering-lamp",
        "topic_title": "Flickering lamp",
        "topic_archetype": "regular",
        "version": 1,
        **fields,
    }


def written(text: str, **fields: Any) -> dict[str, Any]:
    return post(raw=text, cooked=f"<p>{html.escape(text)}</p>", **fields)


def captured(event: str, body: dict[str, Any]) -> dict[str, Any]:
    headers = {"X-Discourse-Event": event, "X-Discourse-Instance": "https://forum.lumora.example"}
    return {"headers": headers, "body": body}


SPECIMEN = Specimen(
    network="discourse",
    account=Account(id="lumora"),
    created=lambda text: captured("post_created", {"post": written(text)}),
    edited=lambda text: captured("post_edited", {"post": written(text, version=3)}),
    deleted=captured("post_destroyed", {"post": written("Why?")}),
    own=captured("post_created", {"post": written("Ciao!", user_id=12, username="Lumora")}),
    media_only=captured(
        "post_created",
        {
            "post": post(
                raw="![lamp|690x388](upload://a1B2c3.jpeg)",
                cooked='<p><img src="/uploads/lamp.jpeg" alt="lamp" width="690"></p>',
            )
        },
    ),
    minimal={"post": {"id": 1, "topic_id": 2, "post_number": 3, "cooked": "<p>Ciao</p>"}},
)
