"""Conditions in CEL, checked when they are loaded: against the types of what they may speak of, and for their cost.

Every one ends soon: CEL has no unbounded loop, a loop in a loop is refused, the length of a condition and of the text
that it sees is bounded, and regular expressions are RE2, in linear time.
"""

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, Final, NamedTuple

from cel_expr_python import cel
from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.message import DecodeError

from services.routing.rules.syntax import Compared, Tree
from services.routing.rules.variables import BY_NAME, FIELDS

MAX_CHARACTERS: Final = 1000
_PACKAGE: Final = "ascolto.rules"
_STATED: Final = re.compile(r"ERROR: <input>:(\d+):(\d+): (.*)")
_UNDEFINED_FIELD: Final = re.compile(r"undefined field '(\w+)' not found in struct '([\w.]+)'")
_UNDECLARED: Final = re.compile(r"undeclared reference to '([\w.]+)'")
_NO_OVERLOAD: Final = re.compile(r"found no matching overload for '(\S+)' applied to '(.*)'")
_SCALARS: Final = {
    "string": descriptor_pb2.FieldDescriptorProto.TYPE_STRING,
    "strings": descriptor_pb2.FieldDescriptorProto.TYPE_STRING,
    "int": descriptor_pb2.FieldDescriptorProto.TYPE_INT64,
    "double": descriptor_pb2.FieldDescriptorProto.TYPE_DOUBLE,
    "bool": descriptor_pb2.FieldDescriptorProto.TYPE_BOOL,
}


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
        compiled = _typed().compile(condition)
    except RuntimeError as error:
        return _explained(str(error))
    if compiled.return_type() != cel.Type.BOOL:
        return [Fault(1, 1, f"is {compiled.return_type().name().lower()} and must be true or false: compare something")]
    try:
        tree = Tree(compiled.serialize())
    except DecodeError:
        return [Fault(1, 1, "is nested too deeply: make it several rules")]
    return [*_unfielded(tree, condition), *_costs(tree, condition), *_unknown_words(tree, condition)]


class Reads(NamedTuple):
    """What a condition reads of a post, as in "post.followers"."""

    fields: frozenset[str]
    unguarded: frozenset[str]
    """Without asking by has() whether it is there."""


def reads_of(condition: str) -> Reads:
    """What a good condition reads."""
    tree = Tree(_typed().compile(condition).serialize())
    asked_for = tree.asked_for() & BY_NAME.keys()
    fields = tree.fields() & BY_NAME.keys()
    return Reads(fields | asked_for, fields - asked_for)


def _unfielded(tree: Tree, condition: str) -> Iterator[Fault]:
    """Whoever takes a variable whole gets round the types of its fields."""
    for name, offset in tree.unfielded(FIELDS):
        yield Fault(*_place(condition, offset), f"{name} stands alone here; name one of {', '.join(_members(name))}")


def _costs(tree: Tree, condition: str) -> Iterator[Fault]:
    if tree.loops_in_loops():
        yield Fault(1, 1, "has a loop (exists, all, map, filter) within a loop: make it one")
    for pattern, offset in tree.patterns():
        place = _place(condition, offset)
        if pattern is None:
            yield Fault(*place, "matches() needs its regular expression written out, in quotes")
        elif not _is_pattern(pattern):
            yield Fault(*place, f"{pattern!r} is no regular expression that RE2 knows (https://github.com/google/re2)")


def _is_pattern(pattern: str) -> bool:
    found = _PATTERN.eval(data={"pattern": pattern})
    return bool(found.type() == cel.Type.BOOL)


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
        owner = next((name for name in FIELDS if _message_of(name) == found[2].rpartition(".")[2]), found[2])
        return f"{owner} has no field {found[1]}; there are {', '.join(_members(owner))}"
    if found := _UNDECLARED.search(message):
        return f"{found[1]} is not known here; conditions speak of post, classification and the functions of CEL"
    if found := _NO_OVERLOAD.search(message):
        mixed = {"int", "double"} <= set(found[2].strip("()").split(", "))
        advice = ": write 2.0 and not 2 beside a field of type double" if mixed else ""
        return f"{found[1].strip('_@')} does not work on {found[2]}{advice}"
    return message


def _members(owner: str) -> list[str]:
    nested = [name.rpartition(".")[2] for name in FIELDS if name.rpartition(".")[0] == owner]
    return sorted([*FIELDS.get(owner, {}), *nested])


def _message_of(owner: str) -> str:
    return owner.rpartition(".")[2].capitalize()


@cache
def _typed() -> Any:  # noqa: ANN401 - published without types
    """The environment in which conditions are checked: each variable is a message with the fields of the table."""
    file = descriptor_pb2.FileDescriptorProto(name="rules.proto", package=_PACKAGE, syntax="proto3")
    for owner, fields in FIELDS.items():
        message = file.message_type.add(name=_message_of(owner))
        for number, (name, field) in enumerate(fields.items(), start=1):
            label = message.field.add(name=name, number=number, type=_SCALARS[field.type])
            label.label = label.LABEL_REPEATED if field.type == "strings" else label.LABEL_OPTIONAL
    for owner in FIELDS:
        holder, _, name = owner.rpartition(".")
        if holder:
            _nest(next(each for each in file.message_type if each.name == _message_of(holder)), name)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    variables = {name: cel.Type(f"{_PACKAGE}.{_message_of(name)}") for name in FIELDS if "." not in name}
    return cel.NewEnv(pool, variables=variables)


def _nest(message: descriptor_pb2.DescriptorProto, name: str) -> None:
    kind = descriptor_pb2.FieldDescriptorProto.TYPE_MESSAGE
    optional = descriptor_pb2.FieldDescriptorProto.LABEL_OPTIONAL
    type_name = f".{_PACKAGE}.{_message_of(name)}"
    message.field.add(name=name, number=len(message.field) + 1, type=kind, label=optional, type_name=type_name)


_PATTERN: Final = cel.NewEnv(variables={"pattern": cel.Type.STRING}).compile("''.matches(pattern)")
