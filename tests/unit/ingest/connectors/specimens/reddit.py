"""Reddit: a comment, asked for with raw_json=1."""

from typing import Any

from services.ingest.connector import Account
from tests.unit.ingest.connectors.specimen import Specimen


def thing(kind: str, **data: Any) -> dict[str, Any]:
    return {"kind": kind, "data": data}


def listing(*children: dict[str, Any]) -> dict[str, Any]:
    return {"kind": "Listing", "data": {"after": None, "before": None, "children": list(children)}}


def comment(body: str, **fields: Any) -> dict[str, Any]:
    data = {
        "id": "lumo7aa",
        "name": "t1_lumo7aa",
        "parent_id": "t3_1lamps",
        "link_id": "t3_1lamps",
        "author": "marta_r",
        "author_fullname": "t2_marta7",
        "body": body,
        "edited": False,
        "created_utc": 1795338000.0,
        "permalink": "/r/lumora/comments/1lamps/which_lamp/lumo7aa/",
        "replies": "",
    }
    return thing("t1", **(data | fields))


def submission(**fields: Any) -> dict[str, Any]:
    data = {
        "name": "t3_1lamps",
        "author": "marta_r",
        "title": "Which lamp?",
        "selftext": "",
        "is_self": True,
        "edited": False,
        "created_utc": 1795337000.0,
        "permalink": "/r/lumora/comments/1lamps/which_lamp/",
    }
    return thing("t3", **(data | fields))


def _created(text: str) -> dict[str, Any]:
    return listing(comment(text))


def _edited(text: str) -> dict[str, Any]:
    return listing(comment(text, edited=1795338060.0))


SPECIMEN = Specimen(
    network="reddit",
    account=Account(id="LumoraLamps"),
    created=_created,
    edited=_edited,
    deleted=listing(comment("[deleted]", author="[deleted]", author_fullname=None)),
    own=listing(comment("Hello!", author="LumoraLamps")),
    media_only=submission(title="", is_self=False, post_hint="image", url="https://i.redd.it/lamp.jpeg"),
    minimal=thing("t1", name="t1_lumo7aa", author="marta_r", body="Ciao"),
)
