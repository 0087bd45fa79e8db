"""WhatsApp: a message of a person who hides the phone number."""

from typing import Any

from services.ingest.connector import Account
from tests.unit.ingest.connectors.specimen import Specimen

NUMBER = "390200451188"
PERSON = "IT.90017733551042"


def delivery(*messages: dict[str, Any], field: str = "messages", **value: Any) -> dict[str, Any]:
    """A delivery of these messages."""
    common = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": NUMBER, "phone_number_id": "77120045"},
        "contacts": [{"profile": {"name": "Marta", "username": "@marta.r"}, "user_id": PERSON}],
        "message_echoes" if field == "smb_message_echoes" else "messages": list(messages),
    }
    change = {"field": field, "value": common | value}
    return {"object": "whatsapp_business_account", "entry": [{"id": "50044", "changes": [change]}]}


def message(**fields: Any) -> dict[str, Any]:
    """A message of the person."""
    return {"from_user_id": PERSON, "id": "wamid.LAMP1", "timestamp": "1795338000"} | fields


def text(body: str) -> dict[str, Any]:
    """What a text message holds."""
    return {"type": "text", "text": {"body": body}}


SPECIMEN = Specimen(
    network="whatsapp",
    account=Account(id="77120045"),
    created=lambda body: delivery(message(**text(body))),
    edited=lambda body: delivery(
        message(
            id="wamid.LAMP2",
            timestamp="1795338066",
            type="edit",
            edit={"original_message_id": "wamid.LAMP1", "message": text(body)},
        )
    ),
    deleted=delivery(message(id="wamid.LAMP3", type="revoke", revoke={"original_message_id": "wamid.LAMP1"})),
    own=delivery(
        {
            "from": NUMBER,
            "to": "393331234567",
            "to_user_id": PERSON,
            "id": "wamid.LAMP4",
            "timestamp": "1795338010",
            **text("Ciao!"),
        },
        field="smb_message_echoes",
    ),
    media_only=delivery(message(type="image", image={"id": "4410", "mime_type": "image/jpeg"})),
    minimal={"messages": [{"from": "393331234567", "id": "wamid.LAMP5", "type": "text", "text": {"body": "Hm"}}]},
)
