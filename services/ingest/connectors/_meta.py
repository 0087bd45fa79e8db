"""What the networks of Meta have in common: webhook envelopes, Graph API lists, times, and who "we" are."""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final, NamedTuple

from services.ingest.connector import Account, Ignored, Reason
from services.ingest.payload import ABSENT, Node, read_json

GRAPH_ERROR: Final = Ignored(Reason.NO_POST, "an error of the API")
BARE_ID: Final = Ignored(Reason.NO_POST, "an id alone, as the API answers to a call of ours")
_FIRST_MILLISECOND: Final = 10**11
"""From here on a number is a time in milliseconds: as seconds it would lie beyond the year 5000."""
_EDGE: Final = re.compile(r"/([^/?]{1,200})/([a-z_]{1,60})\?")


class Context(NamedTuple):
    """What is known beside the item itself."""

    network: str
    own: frozenset[str]
    """The ids of the connected account; the entry of a delivery names it too."""
    time: datetime | None = None
    """When Meta sent the delivery."""


class Edge(NamedTuple):
    """Which list of which object this is, as the address of its next page tells."""

    owner: str | None = None
    name: str | None = None


def read_documents(body: bytes) -> list[Node]:
    """The objects in a body: one, a list of them, or those in recorded requests and batch answers."""
    document = _unwrapped(read_json(body) or ABSENT)
    each = [_unwrapped(element) for element in document] if document.is_list() else [document]
    return [node for node in each if node.is_object()]


def context_of(network: str, account: Account, entry: Node = ABSENT) -> Context:
    """Who we are for the items of a delivery's entry, or of an answer of the API."""
    return Context(network, frozenset(filter(None, (account.id, entry["id"].id()))), when(entry["time"]))


def changes(entry: Node) -> Iterator[tuple[str, Node]]:
    """The field and value of every change; some samples of Meta write a change without the list around it."""
    for change in (*items(entry["changes"]), entry):
        if change["field"].text():
            yield from ((change["field"].text() or "", value) for value in items(change["value"]))


def entries(document: Node) -> list[Node]:
    """The entries of a delivery; a sample without envelope counts as one."""
    if document["sample"].is_object():
        document = document["sample"]
    return list(items(document["entry"])) or ([document] if "field" in document else [])


def items(node: Node) -> Iterator[Node]:
    """The elements of a list, or the one object where no list is written."""
    return iter(node) if node.is_list() else iter([node] if node.is_object() else [])


def nodes(document: Node) -> Iterator[tuple[Node, Edge]]:
    """The objects of an answer: of a list, of several that were asked for by their ids, or the one."""
    if document["data"].is_list():
        edge = edge_of(document)
        yield from ((each, edge) for each in document["data"])
    elif document.value and all(each["id"].id() == name for name, each in document.members()):
        yield from ((each, Edge()) for _, each in document.members())
    else:
        yield document, Edge()


def edge_of(listed: Node) -> Edge:
    """Whose list it is."""
    address = listed.at("paging", "next").text() or listed.at("paging", "previous").text() or ""
    found = _EDGE.search(address)
    return Edge(found[1], found[2]) if found else Edge()


def when(node: Node) -> datetime | None:
    """A time as Meta writes it: in seconds or milliseconds since 1970, or as a text with a zone."""
    number = node.number()
    if number is None:
        return node.time()
    return node.seconds() if abs(number) < _FIRST_MILLISECOND else node.milliseconds()


def person(node: Node, **instead: str | None) -> dict[str, Any]:
    """Who somebody is, in any of Meta's spellings."""
    return {
        "id": node["id"].id() or node["username"].text() or instead.get("id"),
        "handle": node["username"].text(),
        "display_name": node["name"].text() or instead.get("name"),
    }


def lines(*parts: str | None) -> str | None:
    """One text of the parts that there are, each once and on a line of its own."""
    return "\n".join(dict.fromkeys(part.strip() for part in parts if part and part.strip())) or None


def _unwrapped(document: Node) -> Node:
    if "body" not in document or not ("headers" in document or "code" in document):
        return document
    body = document["body"].text()
    return (read_json(body.encode("utf-8", "surrogatepass")) or ABSENT) if body else document["body"]
