"""The mixes of streams, as a file of rules says them."""

from typing import Final

from services.routing.judgement import Category, Mix
from services.routing.mix import Stream
from services.routing.rules.document import Document, Value
from services.routing.rules.parsing import A_NETWORK, parse_network
from services.routing.venues import Venue, venue_named

MAX_STREAMS: Final = 100
LEAST_SHARE: Final = 0.001
SHARES: Final = tuple(category.value for category in Category)
FIELDS: Final = ("network", "venue", *SHARES)
_SLACK: Final = 0.011
"""Four shares that were rounded to hundredths may miss 1 by so much."""
_A_SHARE: Final = "a share such as 0.12"
_NEEDED: Final = {"network": "where it is said, such as x", **dict.fromkeys(SHARES, _A_SHARE)}


def read_mixes(document: Document, value: Value) -> dict[Stream, Mix]:
    """Read the mix of each stream; one with a problem is left out."""
    given = document.items(value, "streams, each with network, venue and the shares of the categories")
    if len(given) > MAX_STREAMS:
        document.wrong(value, f"has {len(given)} streams and may have {MAX_STREAMS}")
    found: dict[Stream, Mix] = {}
    lines: dict[Stream, int] = {}
    for each in given:
        fields = document.mapping(each, FIELDS, _NEEDED)
        stream, mix = _stream(document, each, fields), _mix(document, each, fields)
        if stream in lines:
            document.wrong(each, f"is the stream of line {lines[stream]} again: leave one of them out")
        elif stream and mix:
            lines[stream], found[stream] = each.line, mix
    return found


def _stream(document: Document, value: Value, fields: dict[str, Value]) -> Stream | None:
    if "network" not in fields:
        return None
    network = document.parsed(fields["network"], parse_network, A_NETWORK)
    venue = document.one_of(fields["venue"], tuple(Venue)) if "venue" in fields else None
    if "venue" not in fields and (usual := venue_named(network)):
        document.wrong(value, f"venue: must be there: posts of {network} stand somewhere, such as {usual}")
        return None
    return Stream(network, venue) if network else None


def _mix(document: Document, value: Value, fields: dict[str, Value]) -> Mix | None:
    shares = [document.parsed(fields[name], _share, _A_SHARE) for name in SHARES if name in fields]
    known = [share for share in shares if share is not None]
    if len(known) < len(SHARES):
        return None
    total = sum(known)
    if abs(total - 1) > _SLACK:
        document.wrong(value, f"has shares that add up to {total:.4g}: they are of all posts, so together they are 1")
        return None
    return Mix(*(share / total for share in known))


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError as error:
        raise ValueError(f"must be {_A_SHARE}") from error
    if not LEAST_SHARE <= share <= 1:
        raise ValueError(f"must be from {LEAST_SHARE} to 1: what never comes cannot be recognised when it does")
    return share
