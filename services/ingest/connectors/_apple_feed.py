"""The XML form of Apple's customer reviews feed, in the shape of its JSON form: values are labels of objects."""

from typing import Any, Final

from lxml import etree

from services.ingest.connectors._feedguard import declares_entities
from services.ingest.payload import Node

_ATOM: Final = "{http://www.w3.org/2005/Atom}"
_APPLE: Final = "{http://itunes.apple.com/rss}"


def read_xml(body: bytes) -> Node | None:
    """Read the Atom of the feed; None where it is none."""
    if declares_entities(body):
        return None
    try:
        root = etree.fromstring(body, etree.XMLParser(resolve_entities=False, no_network=True, recover=True))
    except (etree.LxmlError, ValueError):
        return None
    if root is None or root.tag != f"{_ATOM}feed":
        return None
    return Node({"feed": {"entry": [_entry(each) for each in root.iterfind(f"{_ATOM}entry")]}})


def _entry(entry: Any) -> dict[str, Any]:  # noqa: ANN401 - lxml has no types
    """Members by their names in JSON; the content that is text goes before the same as HTML."""
    told: dict[str, Any] = {}
    for element in entry.iterchildren(tag=etree.Element):
        name = element.tag.replace(_APPLE, "im:").replace(_ATOM, "")
        if name == "author":
            told[name] = {each.tag.replace(_ATOM, ""): _label(each) for each in element.iterchildren(tag=etree.Element)}
        elif name != "content" or element.get("type") == "text":
            told.setdefault(name, _label(element))
    return told


def _label(element: Any) -> dict[str, str]:  # noqa: ANN401 - lxml has no types
    return {"label": (element.text or "").strip()}
