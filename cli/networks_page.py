"""The networks as a page for people: what each tells us, how it is verified, what real payloads prove of it."""

from collections.abc import Iterable, Iterator
from typing import Final

from services.ingest.connector import Ability, Capabilities, Connector, Reason
from services.ingest.connectors import connectors
from services.ingest.fetching.networks import fetchers

_HEAD: Final = """# Networks

<!-- Rendered from services/ingest/connectors/ by `python -m cli.pages`: do not edit. -->

`ascolto normalize NETWORK FILE...` shows what a payload becomes, without any server; NETWORK is the name in the first
column. [adding-a-network.md](adding-a-network.md) walks through a new one.

**Proven** is what payloads that were really sent by the network, or published by it, hold true in the tests.
**Not proven** is built after documentation alone: look twice at the first payloads that you see. **Reply** is whether
the network takes an answer at all; today answers go out by web chat and by webhook (`reply` of an integration).
"""
_ABILITIES: Final = ("edits", "deletes", "threads", "own_posts", "media", "language", "permalinks", "reply")
_MARKS: Final = {"yes": "✓", "partly": "◐", "no": "✗"}


def render() -> str:
    """The page, whole."""
    found = list(connectors().values())
    parts = (_HEAD, *_overview(found), "", *_reasons(), *(line for each in found for line in _section(each)))
    return "\n".join(parts).rstrip() + "\n"


def _overview(found: Iterable[Connector]) -> Iterator[str]:
    yield "| network | ways in | signature | " + " | ".join(map(_words, _ABILITIES)) + " |"
    yield "|---|---|---|" + "---|" * len(_ABILITIES)
    for each in found:
        marks = (_MARKS[_ability(each.capabilities, name).level] for name in _ABILITIES)
        yield f"| {_link(each)} | {_ways(each)} | {_signature(each)} | {' | '.join(marks)} |"
    yield ""
    yield "✓ yes · ◐ in some cases · ✗ no. What the marks mean is said below, network by network."
    yield "(poll), (stream): what the network answers is read, and nothing of ours asks it yet."


def _reasons() -> Iterator[str]:
    yield from ("## Why something becomes no post", "", "| reason | what it means |", "|---|---|")
    for reason in Reason:
        yield f"| `{reason.name}` | {reason.value} |"
    yield ""


def _section(connector: Connector) -> Iterator[str]:
    capabilities = connector.capabilities
    yield from (f"## {connector.title}", "", f"`{connector.network}`, by {_ways(connector)}.", "")
    for name in _ABILITIES:
        ability = _ability(capabilities, name)
        yield f"- **{_words(name)}** {_MARKS[ability.level]} {ability.how}"
    yield f"- **limits** {capabilities.limits}"
    yield f"- **proven** {'; '.join(capabilities.proven) or 'nothing: no real payload of it is known'}"
    if capabilities.unproven:
        yield f"- **not proven** {'; '.join(capabilities.unproven)}"
    yield ""


def _ways(connector: Connector) -> str:
    """The ways in; in brackets where somebody else must do the asking."""
    asked = connector.network in fetchers()
    return ", ".join(way if way == "webhook" or asked else f"({way})" for way in connector.transports)


def _ability(capabilities: Capabilities, name: str) -> Ability:
    ability: Ability = getattr(capabilities, name)
    return ability


def _link(connector: Connector) -> str:
    anchor = "".join(each for each in connector.title.lower().replace(" ", "-") if each.isalnum() or each in "-_")
    return f"[`{connector.network}`](#{anchor})"


def _signature(connector: Connector) -> str:
    return connector.verification.name if connector.verification else ""


def _words(name: str) -> str:
    return name.replace("_", " ")
