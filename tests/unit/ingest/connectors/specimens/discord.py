"""Discord: a message in a channel of a server, as the gateway tells it."""

from typing import Any

from services.ingest.connector import Account
from tests.unit.ingest.connectors.specimen import Specimen

MESSAGE_ID = "1442000000000000001"
MARTA: dict[str, Any] = {"id": "7001", "username": "marta_r", "global_name": "Marta"}


def message(**fields: Any) -> dict[str, Any]:
    return {
        "id": MESSAGE_ID,
        "type": 0,
        "channel_id": "5000",
        "guild_id": "4000",
        "author": MARTA,
        "content": "",
        "timestamp": "2026-11-22T09:00:00.250000+00:00",
        "edited_timestamp": None,
        "attachments": [],
        "embeds": [],
        "mentions": [],
        **fields,
    }


def dispatched(name: str, data: dict[str, Any]) -> dict[str, Any]:
    """The frame of an event."""
    return {"op": 0, "t": name, "s": 7, "d": data}


def _created(text: str) -> dict[str, Any]:
    return dispatched("MESSAGE_CREATE", message(content=text))


def _edited(text: str) -> dict[str, Any]:
    return dispatched("MESSAGE_UPDATE", message(content=text, edited_timestamp="2026-11-22T09:01:00.000000+00:00"))


SPECIMEN = Specimen(
    network="discord",
    account=Account(id="9000"),
    created=_created,
    edited=_edited,
    deleted=dispatched("MESSAGE_DELETE", {"id": MESSAGE_ID, "channel_id": "5000", "guild_id": "4000"}),
    own=dispatched(
        "MESSAGE_CREATE", message(content="Ciao!", author={"id": "9000", "username": "lumora", "bot": True})
    ),
    media_only=dispatched(
        "MESSAGE_CREATE",
        message(attachments=[{"id": "1", "url": "https://cdn.discord.example/a.png", "content_type": "image/png"}]),
    ),
    minimal={"id": MESSAGE_ID, "channel_id": "5000", "content": "Ciao"},
)
