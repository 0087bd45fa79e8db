"""Reads of a post what some conditions want to know, in as few steps as that takes."""

from collections.abc import Callable, Iterable, Sequence
from itertools import chain, repeat
from operator import attrgetter
from typing import Any, Final, TypeAlias

from ascolto.classification.v1 import classification_pb2 as pb
from ascolto.posts.v1 import post_pb2 as posts
from services.routing.rules.variables import BY_NAME, Common

Shared: TypeAlias = tuple[Any, ...]
"""What a post has in common with many others; can be hashed."""
Facts: TypeAlias = dict[str, dict[str, Any]]

_POST: Final = "post"
_URGENCY: Final = "classification.urgency"
"""Stands beside its owner as well, where no condition can name it."""


class Reader:
    """Reads the fields of the given names, as in "post.followers"."""

    def __init__(self, names: Iterable[str]) -> None:
        names = sorted(names)
        common = [name for name in names if isinstance(BY_NAME[name].read, Common)]
        self._own = [name for name in names if name not in common]
        self._read_own = [BY_NAME[name].read for name in self._own]
        lists = [name for name in common if BY_NAME[name].type == "strings"]
        of_post = [name for name in common if name.partition(".")[0] == _POST]
        scalars = [name for name in common if name not in lists and name not in of_post]
        self._common = [*scalars, *of_post, *lists]
        self._told = [BY_NAME[name].read.told for name in self._common]  # type: ignore[union-attr] # Common
        self._places = [(*name.rpartition(".")[::2], name) for name in (*self._common, *self._own)]
        self._scalars, self._of_post, self._lists = map(_getter, (scalars, of_post, lists))

    def common(self, classification: pb.Classification, post: posts.Post) -> Shared:
        """What it has in common with others."""
        lists = self._lists(classification)
        return self._scalars(classification) + self._of_post(post) + (tuple(map(tuple, lists)) if lists else ())

    def own(self, classification: pb.Classification, post: posts.Post) -> Sequence[Any]:
        """What it has for itself; None for each field that it does not have."""
        return [read(classification, post) for read in self._read_own]  # type: ignore[operator] # Own

    def values(self, classification: pb.Classification, post: posts.Post) -> dict[str, Any]:
        """All of it by name, without what the post does not have."""
        facts, lacking = self.facts(self.common(classification, post), self.own(classification, post))
        return {name: facts[owner][field] for owner, field, name in self._places if name not in lacking}

    def facts(self, common: Shared, own: Sequence[Any] | None = None) -> tuple[Facts, frozenset[str]]:
        """The same as conditions see it, and which fields the post does not have; `own` absent: it has none."""
        urgency: dict[str, Any] = {}
        facts: Facts = {_POST: {}, "classification": {"urgency": urgency}, _URGENCY: urgency}
        lacking = []
        values = [told(value) for told, value in zip(self._told, common, strict=True)]
        for (owner, field, name), value in zip(self._places, chain(values, own or repeat(None)), strict=False):
            if value is None:
                lacking.append(name)
            else:
                facts[owner][field] = value
        return facts, frozenset(lacking)


def _getter(names: Sequence[str]) -> Callable[[Any], tuple[Any, ...]]:
    """Reads the paths of fields from a message, as a tuple however many there are."""
    paths = [BY_NAME[name].read.path for name in names]  # type: ignore[union-attr] # Common
    if not paths:
        return lambda _: ()
    found: Callable[[Any], Any] = attrgetter(*paths)
    return found if len(paths) > 1 else lambda message: (found(message),)
