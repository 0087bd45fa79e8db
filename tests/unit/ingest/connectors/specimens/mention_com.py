"""Mention: a blog post about Lumora."""

from typing import Any

from services.ingest.connector import Account
from tests.unit.ingest.connectors.specimen import Specimen


def mention(**fields: Any) -> dict[str, Any]:
    return {
        "id": "88120",
        "alert_id": "17",
        "source_type": "blogs",
        "source_name": "leuchten.example",
        "source_url": "https://leuchten.example",
        "url": "https://leuchten.example/lumora-test",
        "published_at": "2026-11-10T06:00:00.0+00:00",
        **fields,
    }


def _created(text: str) -> dict[str, Any]:
    author = {"id": "5", "author_unique_id": "leuchten.example", "name": "Leuchten im Test"}
    told = mention(title="", description=text, language_code="de", author_influence=author, trashed="False")
    return {"mentions": [told], "_links": {}}


SPECIMEN = Specimen(
    network="mention_com",
    account=Account(id="lumora.example"),
    created=_created,
    edited=None,
    deleted=mention(trashed="True"),
    own=mention(description="Our sale has begun.", author_influence={"author_unique_id": "lumora.example"}),
    media_only=None,
    minimal={"id": 4, "description": "Lumora", "source_url": "https://forum.example"},
)
