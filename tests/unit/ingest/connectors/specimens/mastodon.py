"""Mastodon: a status that mentions the account, as the server's stream and its REST API tell of it."""

import html
import json
from typing import Any

from services.ingest.connector import Account
from tests.unit.ingest.connectors.specimen import Specimen


def _html(text: str) -> str:
    paragraphs = html.escape(text).split("\n\n")
    return "".join(f"<p>{each}</p>" for each in paragraphs).replace("\n", "<br>")


def status(text: str, **fields: Any) -> dict[str, Any]:
    return {
        "id": "115400000000000007",
        "created_at": "2026-11-22T08:00:00.000Z",
        "in_reply_to_id": None,
        "visibility": "public",
        "language": "it",
        "uri": "https://lampade.example/users/marta/statuses/115400000000000007",
        "url": "https://lampade.example/@marta/115400000000000007",
        "edited_at": None,
        "spoiler_text": "",
        "content": _html(text),
        "reblog": None,
        "account": {"id": "501", "acct": "marta@lampade.example", "display_name": "Marta", "followers_count": 42},
        "media_attachments": [],
        **fields,
    }


def frame(event: str, payload: Any) -> bytes:
    return f"event: {event}\ndata: {payload if isinstance(payload, str) else json.dumps(payload)}\n\n".encode()


def _created(text: str) -> dict[str, Any]:
    return {"id": "9", "type": "mention", "created_at": "2026-11-22T08:00:01.000Z", "status": status(text)}


def _edited(text: str) -> bytes:
    return frame("status.update", status(text, edited_at="2026-11-22T08:05:00.000Z"))


SPECIMEN = Specimen(
    network="mastodon",
    account=Account(id="900", url="https://social.lumora.example"),
    created=_created,
    edited=_edited,
    deleted=frame("delete", "115400000000000007"),
    own=frame("update", status("Ciao!", account={"id": "900", "acct": "lumora"})),
    media_only=status(
        "", media_attachments=[{"id": "1", "type": "image", "url": None, "description": "A broken lamp"}]
    ),
    minimal={"id": "7", "content": "<p>Ciao</p>", "account": {"id": "501"}},
    escaped=_html,
)
