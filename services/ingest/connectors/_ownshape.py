"""Posts in our own shape (rawpost.py), as envelopes of others carry them: one, or a list of them."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from services.ingest.connector import Ignored, Outcome, Reason
from services.ingest.decoding import convert
from services.ingest.payload import Node
from services.ingest.rawpost import MAX_MEDIA, MAX_SPANS, MAX_TEXT_CODE_POINTS, Invalid, RawPost

_LENGTHS: Final = {"text": MAX_TEXT_CODE_POINTS, "media": MAX_MEDIA, "spans": MAX_SPANS}


def is_post(data: Node) -> bool:
    """Whether this claims to be a post of our shape, right or wrong in the rest."""
    return bool(data["native_id"] and data["kind"])


def items(data: Node) -> list[Node]:
    """The posts of an event, which brings one or a list of them."""
    return list(data) if data.is_list() else [data]


def shortened(post: Node) -> dict[str, Any]:
    """The fields of a post, cut where they are too long: a post that is too long is still a post."""
    return {name: _cut(name, each.value) for name, each in post.members()}


def posts_of(data: Node, said: Mapping[str, Any], otherwise: Mapping[str, Any]) -> Iterator[Outcome]:
    """Read posts; what the envelope `said` of them goes before what they say, and that before `otherwise`."""
    for each in items(data):
        read = convert({**otherwise, **shortened(each), **said}, RawPost)
        yield invalid(read) if isinstance(read, Invalid) else read


def invalid(problem: Invalid) -> Ignored:
    """What is wrong with a post, for people."""
    return Ignored(Reason.INVALID, f"{problem.field}: {problem.description}".removeprefix(": "))


def _cut(name: str, value: Any) -> Any:  # noqa: ANN401 - anything that was sent
    return value[: _LENGTHS[name]] if name in _LENGTHS and isinstance(value, str | list) else value
