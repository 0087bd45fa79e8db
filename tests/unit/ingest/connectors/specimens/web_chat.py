"""Web chat: a visitor of the Lumora shop."""

from typing import Any

from services.ingest.connector import Account
from tests.unit.ingest.connectors.specimen import Specimen


def message(**fields: Any) -> dict[str, Any]:
    return {
        "type": "chat.message",
        "id": "01LUM7",
        "session_id": "s_77",
        "visitor": {"id": "v_7", "name": None, "locale": "it-IT"},
        "sent_at": "2026-11-20T09:00:00.120Z",
        **fields,
    }


def _created(text: str) -> dict[str, Any]:
    return message(text=text, attachments=[])


SPECIMEN = Specimen(
    network="web_chat",
    account=Account(id="lumora"),
    created=_created,
    edited=None,
    deleted=None,
    own=message(text="Good morning!", visitor={"id": "lumora"}),
    media_only=message(attachments=[{"content_type": "image/png", "url": "https://media.lumora.example/1.png"}]),
    minimal={"type": "chat.message", "id": "2", "session_id": "s_1", "text": "Hi"},
)
