"""Facebook page: a comment below a post of the page."""

from typing import Any

from services.ingest.connector import Account
from tests.unit.ingest.connectors.specimen import Specimen

PAGE = "661200034418"
FROM_US: dict[str, Any] = {"from": {"id": PAGE, "name": "Lumora"}}


def _delivery(time: int = 1795338002, **value: Any) -> dict[str, Any]:
    comment = {
        "item": "comment",
        "comment_id": "7710045_8820091",
        "post_id": f"{PAGE}_7710045",
        "parent_id": f"{PAGE}_7710045",
        "from": {"id": "5500127", "name": "Marta Riva"},
        "created_time": 1795338000,
    }
    return {
        "object": "page",
        "entry": [{"id": PAGE, "time": time, "changes": [{"field": "feed", "value": comment | value}]}],
    }


SPECIMEN = Specimen(
    network="facebook_page",
    account=Account(id=PAGE),
    created=lambda text: _delivery(verb="add", message=text),
    edited=lambda text: _delivery(time=1795338075, verb="edited", message=text),
    deleted=_delivery(time=1795338090, verb="remove"),
    own=_delivery(verb="add", message="Ciao Marta!", **FROM_US),
    media_only=_delivery(verb="add", message="", photo="https://scontent.example/lamp.jpg"),
    minimal={
        "object": "page",
        "entry": [
            {
                "id": PAGE,
                "time": 1795338002,
                "changes": [
                    {"field": "mention", "value": {"item": "post", "post_id": f"{PAGE}_1", "message": "Lumora?"}}
                ],
            }
        ],
    },
)
