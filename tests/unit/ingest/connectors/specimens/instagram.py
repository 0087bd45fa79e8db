"""Instagram: a message of a person to the account, which says more than a comment does."""

from typing import Any

from services.ingest.connector import Account
from tests.unit.ingest.connectors.specimen import Specimen

ACCOUNT = "17840077001"
PERSON = "40031188552"


def _delivery(sender: str = PERSON, recipient: str = ACCOUNT, **event: Any) -> dict[str, Any]:
    frame = {"sender": {"id": sender}, "recipient": {"id": recipient}, "timestamp": 1795338000417}
    return {"object": "instagram", "entry": [{"id": ACCOUNT, "time": 1795338000900, "messaging": [frame | event]}]}


SPECIMEN = Specimen(
    network="instagram",
    account=Account(id=ACCOUNT),
    created=lambda text: _delivery(message={"mid": "aWdfLAMP1", "text": text}),
    edited=lambda text: _delivery(message_edit={"mid": "aWdfLAMP1", "text": text, "num_edit": 2}),
    deleted=_delivery(message={"mid": "aWdfLAMP1", "is_deleted": True}),
    own=_delivery(ACCOUNT, PERSON, message={"mid": "aWdfLAMP2", "text": "Ciao!", "is_echo": True}),
    media_only=_delivery(
        message={
            "mid": "aWdfLAMP3",
            "attachments": [{"type": "ig_reel", "payload": {"url": "https://cdn.example/reel.mp4"}}],
        }
    ),
    minimal={"field": "live_comments", "value": {"id": "1799001", "text": "So bright"}},
)
