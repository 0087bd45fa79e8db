"""Telegram: a message in a group."""

from typing import Any

from services.ingest.connector import Account
from tests.unit.ingest.connectors.specimen import Specimen

MARTA: dict[str, Any] = {"id": 7001, "is_bot": False, "first_name": "Marta", "username": "marta_r"}
GROUP: dict[str, Any] = {
    "id": -1002184467301,
    "type": "supergroup",
    "title": "Lumora Italia",
    "username": "lumora_it",
}


def message(**fields: Any) -> dict[str, Any]:
    return {"message_id": 4187, "from": MARTA | {"language_code": "it"}, "chat": GROUP, "date": 1795338000, **fields}


def _created(text: str) -> dict[str, Any]:
    return {"update_id": 1, "message": message(text=text)}


def _edited(text: str) -> dict[str, Any]:
    return {"update_id": 2, "edited_message": message(text=text, edit_date=1795338060)}


SPECIMEN = Specimen(
    network="telegram",
    account=Account(id="9000"),
    created=_created,
    edited=_edited,
    deleted=None,  # a group's deletions are never told
    own={"update_id": 3, "message": message(text="Ciao!", **{"from": {"id": 9000, "is_bot": True}})},
    media_only={"update_id": 4, "message": message(photo=[{"file_id": "a", "width": 90, "height": 90}])},
    minimal={"message": {"message_id": 1, "chat": {"id": 5, "type": "private"}, "date": 1795338000, "text": "Ciao"}},
)
