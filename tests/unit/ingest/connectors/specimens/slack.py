"""Slack: a message in a channel of a workspace that customers share."""

from typing import Any

from services.ingest.connector import Account
from tests.unit.ingest.connectors.specimen import Specimen

TS = "1795338000.000200"


def escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def message(**fields: Any) -> dict[str, Any]:
    return {"type": "message", "user": "U0MARTA", "ts": TS, **fields}


def delivered(event: dict[str, Any]) -> dict[str, Any]:
    """The envelope of an event in the channel."""
    placed = {"channel": "C0LAMPS", "channel_type": "channel", "event_ts": "1795338060.000300"} | event
    return {"type": "event_callback", "api_app_id": "A0LUMORA", "event_id": "Ev01", "event": placed}


def _created(text: str) -> dict[str, Any]:
    return delivered(message(text=escaped(text)))


def _edited(text: str) -> dict[str, Any]:
    later = message(text=escaped(text), edited={"user": "U0MARTA", "ts": "1795338060.000000"})
    return delivered(
        {
            "type": "message",
            "subtype": "message_changed",
            "hidden": True,
            "message": later,
            "previous_message": message(text="Why?"),
            "ts": "1795338060.000300",
        }
    )


SPECIMEN = Specimen(
    network="slack",
    account=Account(id="U0LUMORA"),
    created=_created,
    edited=_edited,
    deleted=delivered(
        {
            "type": "message",
            "subtype": "message_deleted",
            "hidden": True,
            "deleted_ts": TS,
            "previous_message": message(text="Why?"),
            "ts": "1795338070.000400",
        }
    ),
    own=delivered(message(text="Ciao!", user="U0LUMORA", bot_id="B0LUMORA")),
    media_only=delivered(
        message(
            text="",
            subtype="file_share",
            files=[{"id": "F1", "mimetype": "image/png", "url_private": "https://files.slack.example/lamp.png"}],
        )
    ),
    minimal={"event": {"type": "message", "text": "Ciao", "ts": TS, "channel": "C0LAMPS"}},
    escaped=escaped,
)
