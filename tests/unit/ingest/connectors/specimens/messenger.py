"""Messenger: a message of a person to the page."""

from typing import Any

from services.ingest.connector import Account
from tests.unit.ingest.connectors.specimen import Specimen

PAGE = "661200034418"
PERSON = "9301447720015"


def _delivery(sender: str = PERSON, recipient: str = PAGE, **event: Any) -> dict[str, Any]:
    frame = {"sender": {"id": sender}, "recipient": {"id": recipient}, "timestamp": 1795338000417}
    return {"object": "page", "entry": [{"id": PAGE, "time": 1795338000900, "messaging": [frame | event]}]}


SPECIMEN = Specimen(
    network="messenger",
    account=Account(id=PAGE),
    created=lambda text: _delivery(message={"mid": "m_lamp1", "text": text}),
    edited=lambda text: _delivery(message_edit={"mid": "m_lamp1", "text": text, "num_edit": 1}),
    deleted=_delivery(message={"mid": "m_lamp1", "is_deleted": True}),
    own=_delivery(PAGE, PERSON, message={"mid": "m_lamp2", "text": "Ciao!", "is_echo": True, "app_id": 88}),
    media_only=_delivery(
        message={
            "mid": "m_lamp3",
            "attachments": [{"type": "audio", "payload": {"url": "https://cdn.example/voice.mp4"}}],
        }
    ),
    minimal={"sender": {"id": PERSON}, "message": {"mid": "m_lamp4", "text": "Hm"}},
)
