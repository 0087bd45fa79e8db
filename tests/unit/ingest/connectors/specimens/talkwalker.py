"""Talkwalker: an article about Lumora, as its documentation describes a chunk of a stream."""

from typing import Any

from services.ingest.connector import Account
from tests.unit.ingest.connectors.specimen import Specimen


def chunk(**fields: Any) -> dict[str, Any]:
    return {"chunk_type": "CT_RESULT", "chunk_result": {"data": {"data": fields, "highlighted_data": []}}}


def article(**fields: Any) -> dict[str, Any]:
    return {
        "url": "https://magazin.example/lumora-glow",
        "published": 1795338000000,
        "source_type": ["ONLINENEWS"],
        "extra_author_attributes": {"id": "ex:magazin.example-9", "name": "Redaktion"},
        **fields,
    }


def _created(text: str) -> dict[str, Any]:
    return chunk(**article(content=text, lang="de", parent_url="https://magazin.example/lumora-glow"))


SPECIMEN = Specimen(
    network="talkwalker",
    account=Account(id="ex:lumora.example-1"),
    created=_created,
    edited=None,
    deleted=None,
    own=chunk(**article(content="Light Week", extra_author_attributes={"id": "ex:lumora.example-1"})),
    media_only=chunk(**article(images=[{"url": "https://media.lumora.example/1.jpg"}])),
    minimal=chunk(url="https://magazin.example/2", content="Lumora"),
)
