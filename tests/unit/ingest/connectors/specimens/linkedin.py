"""LinkedIn: a member's comment on the organization's post."""

from typing import Any

from services.ingest.connector import Account
from tests.unit.ingest.connectors.specimen import Specimen

POST, MEMBER, PAGE = "urn:li:activity:7300000000000000001", "urn:li:person:mR7x_Q", "urn:li:organization:4242"


def notification(action: str, comment: dict[str, Any] | None, **fields: Any) -> dict[str, Any]:
    said = {"decoratedGeneratedActivity": {"comment": comment}} if comment else {}
    told = {
        "notificationId": -512,
        "organizationalEntity": PAGE,
        "action": action,
        "sourcePost": POST,
        "generatedActivity": "urn:li:comment:(activity:7300000000000000001,7300000000000000777)",
        "lastModifiedAt": 1795338000123,
    }
    return {"type": "ORGANIZATION_SOCIAL_ACTION_NOTIFICATIONS", "notifications": [{**told, **said, **fields}]}


def comment(text: str | None, owner: str = MEMBER, **fields: Any) -> dict[str, Any]:
    entity = f"urn:li:comment:({POST},7300000000000000777)"
    return {"owner": owner, "text": text, "entity": entity, "object": POST, **fields}


def _created(text: str) -> dict[str, Any]:
    return notification("COMMENT", comment(text))


def _edited(text: str) -> dict[str, Any]:
    return notification("COMMENT_EDIT", comment(text), lastModifiedAt=1795338999000)


SPECIMEN = Specimen(
    network="linkedin",
    account=Account(id="4242"),
    created=_created,
    edited=_edited,
    deleted=notification("COMMENT_DELETE", None),
    own=notification("ADMIN_COMMENT", comment("Grazie!", owner=PAGE)),
    media_only={
        "elements": [
            {
                "id": "urn:li:share:7300000000000000900",
                "author": MEMBER,
                "commentary": "",
                "content": {"media": {"id": "urn:li:image:C4E10AQ"}},
            }
        ]
    },
    minimal=notification("COMMENT", {"text": "Bella lampada", "owner": MEMBER}),
)
