"""All conditions of a tenant asked about one post: few calls of the evaluator, and none where the answers are known."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple, TypeAlias

from ascolto.classification.v1 import classification_pb2 as pb
from ascolto.posts.v1 import post_pb2 as posts
from services.routing.rules.conditions import Reads, reads_of
from services.routing.rules.environments import PLAIN, together
from services.routing.rules.reading import Facts, Reader, Shared
from services.routing.rules.variables import BY_NAME, Common

ASKED_AT_ONCE: Final = 50
ANSWERS_KEPT: Final = 10_000
PLANS_KEPT: Final = 256
Answer: TypeAlias = bool | str
"""Whether a condition holds, or why that cannot be told."""
Answers: TypeAlias = tuple[tuple[Answer, ...], tuple[Answer, ...]]

_CANNOT_BE_TOLD: Final = (RuntimeError, MemoryError)


class Conditions:
    """The conditions of a tenant; they have been checked.

    Those that read only what many posts have in common (category, network, language ...) are asked once for all posts
    that have it in common; so they are a group of their own.
    """

    def __init__(self, conditions: Sequence[str]) -> None:
        reads = [reads_of(each) for each in conditions]
        self._of_own = [bool(_own(each.fields)) for each in reads]
        self._groups = tuple(
            _Group([(conditions[at], reads[at]) for at, of_own in enumerate(self._of_own) if of_own is wanted])
            for wanted in (False, True)
        )

    def ask(self, classification: pb.Classification, post: posts.Post) -> Answers:
        """The answers, as `in_order` wants them."""
        common, own = self._groups
        return common.ask(classification, post), own.ask(classification, post)

    def in_order(self, answers: Answers) -> tuple[Answer, ...]:
        """The answer of each condition."""
        common, own = map(iter, answers)
        return tuple(next(own if of_own else common) for of_own in self._of_own)


class _Plan(NamedTuple):
    """Which conditions are asked together, and which alone, of posts that lack the same fields."""

    together: Sequence[tuple[Any, Sequence[int]]]
    alone: Sequence[int]


class _Group:
    """Some of the conditions.

    What they answer of a post that has nothing of its own (followers, text ...) is remembered. Of any other post those
    are asked again that read what it has. A condition that reads what a post does not have fails, and would take along
    those that are asked together with it: so it is asked alone there. None of this changes an answer.
    """

    def __init__(self, conditions: Sequence[tuple[str, Reads]]) -> None:
        self._sources = [source for source, _ in conditions]
        self._programs = [PLAIN.compile(source) for source in self._sources]
        self._reads = [reads for _, reads in conditions]
        self._reader = Reader(frozenset[str]().union(*(reads.fields for reads in self._reads)))
        self._planned = lru_cache(maxsize=PLANS_KEPT)(self._plan)
        self._known = lru_cache(maxsize=ANSWERS_KEPT)(self._find)
        self._planned(frozenset(), again=any(_own(reads.fields) for reads in self._reads))

    def ask(self, classification: pb.Classification, post: posts.Post) -> tuple[Answer, ...]:
        """The answer of each condition, in order."""
        own = self._reader.own(classification, post)
        common = self._reader.common(classification, post)
        known = self._known(common)
        return known if own.count(None) == len(own) else self._asked_again(known, common, own)

    def _find(self, common: Shared) -> tuple[Answer, ...]:
        facts, lacking = self._reader.facts(common)
        return self._asked([False] * len(self._sources), self._planned(lacking, again=False), facts)

    def _asked_again(self, known: Sequence[Answer], common: Shared, own: Sequence[Any]) -> tuple[Answer, ...]:
        facts, lacking = self._reader.facts(common, own)
        return self._asked(list(known), self._planned(lacking, again=True), facts)

    def _asked(self, answers: list[Answer], plan: _Plan, facts: Facts) -> tuple[Answer, ...]:
        activation = PLAIN.Activation(facts)
        for program, members in plan.together:
            found = _asked_together(program, activation)
            for at, answer in zip(members, found or (), strict=found is not None):
                answers[at] = answer
            for at in members if found is None else ():
                answers[at] = _asked_alone(self._programs[at], activation)
        for at in plan.alone:
            answers[at] = _asked_alone(self._programs[at], activation)
        return tuple(answers)

    def _plan(self, lacking: frozenset[str], *, again: bool) -> _Plan:
        """How to ask about posts that lack these fields: all conditions, or again those that read something else."""
        members = [at for at, reads in enumerate(self._reads) if not again or _own(reads.fields) - lacking]
        alone = [at for at in members if lacking & self._reads[at].unguarded]
        safe = [at for at in members if at not in alone]
        chunks = [safe[start : start + ASKED_AT_ONCE] for start in range(0, len(safe), ASKED_AT_ONCE)]
        planned = [(_compiled(self._sources[at] for at in chunk), chunk) for chunk in chunks]
        apart = [at for program, chunk in planned if program is None for at in chunk]
        return _Plan([each for each in planned if each[0] is not None], [*alone, *apart])


def _own(fields: Iterable[str]) -> frozenset[str]:
    """Those of the fields in which hardly two posts are alike."""
    return frozenset(name for name in fields if not isinstance(BY_NAME[name].read, Common))


def _compiled(conditions: Iterable[str]) -> Any | None:  # noqa: ANN401 - published without types
    """They as one program; None where they cannot be asked together."""
    try:
        return PLAIN.compile(together(conditions))
    except RuntimeError:
        return None


def _asked_together(program: Any, activation: Any) -> Sequence[bool] | None:  # noqa: ANN401 - as above
    """The answers; None where one of them cannot be told."""
    try:
        found = program.eval(activation).plain_value()
    except _CANNOT_BE_TOLD:
        return None
    return found if isinstance(found, list) else None


def _asked_alone(program: Any, activation: Any) -> Answer:  # noqa: ANN401 - as above
    try:
        found = program.eval(activation).plain_value()
    except _CANNOT_BE_TOLD as error:
        return str(error) or type(error).__name__
    return found if isinstance(found, bool) else str(found)
