"""Mixes of streams as they are printed: a part of a file of rules for people, objects for programs."""

from collections.abc import Iterator, Mapping
from typing import Any

from cli.console import printable
from services.routing.judgement import Category, Mix
from services.routing.mix import LEAST_POSTS, Stream
from services.routing.rules.parsing import NETWORK
from services.routing.streams import Learnt


def shown(stream: Stream, learnt: Learnt) -> dict[str, Any]:
    """One stream, for programs; `mix` is null where there were too few posts."""
    return {"network": stream.network, "venue": stream.venue, "posts": learnt.posts, "mix": shares(learnt.mix)}


def shares(mix: Mix | None) -> dict[str, float] | None:
    """A mix by category; of a thousand posts at least one is of each, as files of rules want it."""
    if mix is None:
        return None
    return {category.value: max(round(share, 3), 0.001) for category, share in zip(Category, mix, strict=True)}


def as_rules(found: Mapping[Stream, Learnt]) -> Iterator[str]:
    """YAML that goes into a file of rules as it is; what cannot stand there is a comment."""
    yield "mix:" if any(_is_rule(stream, learnt) for stream, learnt in found.items()) else "# no mix:"
    for stream, learnt in found.items():
        yield f"  {'' if _is_rule(stream, learnt) else '# '}{_as_rule(stream, learnt)}"


def _as_rule(stream: Stream, learnt: Learnt) -> str:
    of_each = shares(learnt.mix)
    if of_each is None:
        return f"{named(stream)}: {learnt.posts:,} posts are too few, {LEAST_POSTS} are needed"
    if not _is_named(stream):
        return told(stream, learnt)
    venue = {"venue": stream.venue} if stream.venue else {}
    fields = {"network": stream.network, **venue, **of_each}
    return f"- {{{', '.join(f'{name}: {value}' for name, value in fields.items())}}}  # {learnt.posts:,} posts"


def _is_rule(stream: Stream, learnt: Learnt) -> bool:
    return _is_named(stream) and learnt.mix is not None


def _is_named(stream: Stream) -> bool:
    """Whether rules can name it."""
    return stream.network is not None and NETWORK.fullmatch(stream.network) is not None


def named(stream: Stream) -> str:
    """A stream in words."""
    return f"{printable(stream.network or 'no network')} ({stream.venue or 'any venue'})"


def told(stream: Stream, learnt: Learnt) -> str:
    """What was learnt of a stream, in one line."""
    of_each = shares(learnt.mix)
    if of_each is None:
        return f"{named(stream)}: {learnt.posts:,} posts are too few to learn a mix from, {LEAST_POSTS} are needed"
    parts = ", ".join(f"{name} {100 * share:.0f} %" for name, share in of_each.items())
    return f"{named(stream)}: learnt from {learnt.posts:,} posts: {parts}"
