"""Conditions in CEL, checked when they are loaded: against the types of what they may speak of, and for their cost.

Every one ends: CEL has no unbounded loop. What would take long is refused (`costs`).
"""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from cel_expr_python import cel
from google.protobuf.message import DecodeError

from services.routing.rules.costs import costs
from services.routing.rules.environments import PLAIN, message_of, together, typed
from services.routing.rules.syntax import Compared, Tree
from services.routing.rules.variables import BY_NAME, FIELDS

MAX_CHARACTERS: Final = 1000
_STATED: Final = re.compile(r"ERROR: <input>:(\d+):(\d+): (.*)")
_UNDEFINED_FIELD: Final = re.compile(r"undefined field '(\w+)' not found in struct '([\w.]+)'")
_UNDECLARED: Final = re.compile(r"undeclared reference to '([\w.]+)'")
_NO_OVERLOAD: Final = re.compile(r"found no matching overload for '(\S+)' applied to '(.*)'")


class Fault(NamedTuple):
    """What is wrong with a condition; line and column count from 1 within it."""

    line: int
    column: int
    message: str


def check(condition: str) -> list[Fault]:
    """Everything that is wrong with a condition, with what to do; empty for a good one."""
    if len(condition) > MAX_CHARACTERS:
        return [Fault(1, 1, f"has {len(condition):,} characters and may have {MAX_CHARACTERS:,}: make it two rules")]
    try:
        compiled = typed().compile(condition)
        PLAIN.compile(condition)
    except RuntimeError as error:
        return _explained(str(error))
    if compiled.return_type() != cel.Type.BOOL:
        return [Fault(1, 1, f"is {compiled.return_type().name().lower()} and must be true or false: compare something")]
    try:
        tree = Tree(compiled.serialize())
        PLAIN.compile(together([condition]))
    except (DecodeError, RuntimeError):
        return [Fault(1, 1, "is nested too deeply: make it several rules")]
    return [*_unfielded(tree, condition), *_costly(tree, condition), *_unknown_words(tree, condition)]


class Reads(NamedTuple):
    """What a condition reads of a post, as in "post.followers"."""

    fields: frozenset[str]
    unguarded: frozenset[str]
    """Without asking by has() whether it is there."""


def reads_of(condition: str) -> Reads:
    """What a good condition reads."""
    tree = Tree(typed().compile(condition).serialize())
    asked_for = tree.asked_for() & BY_NAME.keys()
    fields = tree.fields() & BY_NAME.keys()
    return Reads(fields | asked_for, fields - asked_for)


def _unfielded(tree: Tree, condition: str) -> Iterator[Fault]:
    """Whoever takes a variable whole gets round the types of its fields."""
    for name, offset in tree.unfielded(FIELDS):
        yield Fault(*_place(condition, offset), f"{name} stands alone here; name one of {', '.join(_members(name))}")


def _costly(tree: Tree, condition: str) -> Iterator[Fault]:
    for offset, message in costs(tree):
        yield Fault(*_place(condition, offset), message)


def _unknown_words(tree: Tree, condition: str) -> Iterator[Fault]:
    for compared in tree.comparisons():
        words = _words_of(compared)
        if words and compared.word not in words:
            message = f"{compared.field} is never {compared.word!r}; there are {', '.join(sorted(words))}"
            yield Fault(*_place(condition, compared.offset), message)


def _words_of(compared: Compared) -> frozenset[str]:
    field = BY_NAME.get(compared.field)
    return field.words if field else frozenset()


def _place(condition: str, offset: int) -> tuple[int, int]:
    before = condition[:offset]
    return before.count("\n") + 1, offset - before.rfind("\n")


def _explained(error: str) -> list[Fault]:
    """The compiler's errors in words that tell what to do."""
    found = [Fault(int(line), int(column), _advised(message)) for line, column, message in _STATED.findall(error)]
    return found or [Fault(1, 1, f"cannot be compiled: {error.partition(chr(10))[0]}: make it simpler")]


def _advised(message: str) -> str:
    if found := _UNDEFINED_FIELD.search(message):
        owner = next((name for name in FIELDS if message_of(name) == found[2].rpartition(".")[2]), found[2])
        return f"{owner} has no field {found[1]}; there are {', '.join(_members(owner))}"
    if found := _UNDECLARED.search(message):
        return f"{found[1]} is not known here; conditions speak of post, classification and the functions of CEL"
    if found := _NO_OVERLOAD.search(message):
        mixed = {"int", "double"} <= set(found[2].strip("()").split(", "))
        advice = ": write 2.0 beside a field of type double, and 2 beside one of type int" if mixed else ""
        return f"{found[1].strip('_@')} does not work on {found[2]}{advice}"
    return message


def _members(owner: str) -> list[str]:
    nested = [name.rpartition(".")[2] for name in FIELDS if name.rpartition(".")[0] == owner]
    return sorted([*FIELDS.get(owner, {}), *nested])
