"""A request as tools capture it, {"headers": {...}, "body": ...}, where a network says in a header what it sends."""

from collections.abc import Mapping
from typing import NamedTuple

from services.ingest.payload import Node, read_json


class Captured(NamedTuple):
    """A document, and the headers it came with; none where they were not captured."""

    document: Node
    headers: Mapping[str, str]
    """By their names in lower case."""


def read_captured(body: bytes) -> Captured | None:
    """Read a document of any shape, captured or bare; None where it is none."""
    document = read_json(body)
    if document is None:
        return None
    if not document["headers"].is_object() or "body" not in document:
        return Captured(document, {})
    headers = {name.lower(): value.text() or "" for name, value in document["headers"].members()}
    text = document["body"].text()
    inner = read_json(text.encode("utf-8", "surrogatepass")) if text else document["body"]
    return None if inner is None else Captured(inner, headers)
