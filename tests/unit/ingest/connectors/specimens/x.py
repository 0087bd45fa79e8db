"""X: a reply to the account, told by the Activity API."""

import html
from typing import Any

from services.ingest.connector import Account
from tests.unit.ingest.connectors.specimen import Specimen

FIRST, SECOND, ROOT = "1993000000000000107", "1993000000000000212", "1993000000000000001"
_USERS = [{"data": {"id": "4001", "username": "marta_r", "name": "Marta", "public_metrics": {"followers_count": 31}}}]


def _event(event_type: str, **payload: Any) -> dict[str, Any]:
    return {
        "data": {
            "event_uuid": "-77",
            "filter": {"user_id": "9000"},
            "event_type": event_type,
            "payload": payload,
            "includes": {"users": _USERS},
        }
    }


def _reply(text: str, own_id: str = FIRST, **fields: Any) -> dict[str, Any]:
    return _event(
        "post.reply.create",
        id=own_id,
        text=html.escape(text, quote=False),
        author_id="4001",
        created_at="2026-11-22T08:30:00.000Z",
        conversation_id=ROOT,
        edit_history_tweet_ids=[FIRST] if own_id == FIRST else [FIRST, own_id],
        referenced_tweets=[{"type": "replied_to", "id": ROOT}],
        lang="it",
        **fields,
    )


def _edited(text: str) -> dict[str, Any]:
    return _reply(text, SECOND)


SPECIMEN = Specimen(
    network="x",
    account=Account(id="9000"),
    created=_reply,
    edited=_edited,
    deleted=_event("post.delete", id=FIRST, author_id="4001"),
    own=_event("post.create", id="1993000000000000900", text="Ciao!", author_id="9000"),
    media_only=_event(
        "post.create", id="1993000000000000901", text="", author_id="4001", attachments={"media_keys": ["3_55"]}
    ),
    minimal={"data": [{"id": FIRST, "text": "Dov'è il mio pacco?", "edit_history_tweet_ids": [FIRST]}]},
    escaped=lambda text: html.escape(text, quote=False),
)
