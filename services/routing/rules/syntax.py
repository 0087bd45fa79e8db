"""Conditions as trees: what they read, which words they compare it with, where they loop and join.

The compiler gives a checked expression as bytes of the message `cel.expr.CheckedExpr`
(https://github.com/google/cel-spec, proto/cel/expr/checked.proto). The parts of it that are asked for are declared
here, by their numbers there; all others are passed over.
"""

from collections.abc import Collection, Iterator
from typing import Any, Final, NamedTuple

from google.protobuf import any_pb2, descriptor_pb2, descriptor_pool, message_factory

Node = Any
"""A message `Expr`: it is declared below, where no type checker sees it."""

_DECLARED: Final = {
    "Constant": {"string_value": (6, "string")},
    "Ident": {"name": (1, "string")},
    "Select": {"operand": (1, "Expr"), "field": (2, "string"), "test_only": (3, "bool")},
    "Call": {"target": (1, "Expr"), "function": (2, "string"), "args": (3, "Expr*")},
    "CreateList": {"elements": (1, "Expr*")},
    "Entry": {"map_key": (3, "Expr"), "value": (4, "Expr")},
    "CreateStruct": {"entries": (2, "Entry*")},
    "Comprehension": {
        "iter_range": (2, "Expr"),
        "accu_init": (4, "Expr"),
        "loop_condition": (5, "Expr"),
        "loop_step": (6, "Expr"),
        "result": (7, "Expr"),
    },
    "Expr": {
        "id": (2, "int64"),
        "const_expr": (3, "Constant"),
        "ident_expr": (4, "Ident"),
        "select_expr": (5, "Select"),
        "call_expr": (6, "Call"),
        "list_expr": (7, "CreateList"),
        "struct_expr": (8, "CreateStruct"),
        "comprehension_expr": (9, "Comprehension"),
    },
    "Position": {"id": (1, "int64"), "offset": (2, "int32")},
    "SourceInfo": {"positions": (4, "Position*")},
    "Reference": {"overloads": (3, "string*")},
    "Referred": {"id": (1, "int64"), "reference": (2, "Reference")},
    "CheckedExpr": {"references": (2, "Referred*"), "expr": (4, "Expr"), "source_info": (5, "SourceInfo")},
}
_PACKAGE: Final = "ascolto.cel"
_EQUALITY: Final = ("_==_", "_!=_")
_IN: Final = "@in"
_PLUS: Final = "_+_"
_JOINS: Final = frozenset({"add_string", "add_bytes", "add_list"})
_ACCUMULATED: Final = "@result"
"""What map and filter, written out by the compiler, add their items to; no condition can name it."""


class Compared(NamedTuple):
    """A field beside a word that it is compared with, or that is looked for in it; `offset` is that of the word."""

    field: str
    word: str
    offset: int


class Loop(NamedTuple):
    """An exists, all, map or filter."""

    offset: int
    loops: bool
    """Whether another one stands in it, or makes what it loops over."""
    matches: bool
    """Whether it asks a regular expression."""
    items: int
    """Of the lists and maps that are written out in it."""


class Tree:
    """One condition, compiled."""

    def __init__(self, serialized: bytes) -> None:
        """`serialized` comes from the compiler; its envelope is `google.protobuf.Any`."""
        checked = _CHECKED.FromString(any_pb2.Any.FromString(serialized).value)
        self._root = checked.expr
        self._offsets = {each.id: each.offset for each in checked.source_info.positions}
        self._overloads = {each.id: frozenset(each.reference.overloads) for each in checked.references}

    def fields(self) -> frozenset[str]:
        """What it reads, as in "post.followers"; without what it only asks for by has()."""
        return frozenset(name for node in _walk(self._root) if (name := _field(node)))

    def asked_for(self) -> frozenset[str]:
        """What it asks for by has()."""
        return frozenset(name for node in _walk(self._root) if (name := _field(node, asked_for=True)))

    def unfielded(self, owners: Collection[str]) -> Iterator[tuple[str, int]]:
        """Each place where one of `owners`, such as "post", stands without a field of it, and its offset."""
        nodes = list(_walk(self._root))
        fielded = {node.select_expr.operand.id for node in nodes if node.select_expr.field}
        for node in nodes:
            name = node.ident_expr.name or _field(node)
            if name in owners and node.id not in fielded:
                yield name, self._offsets.get(node.id, 0)

    def loops(self) -> Iterator[Loop]:
        """Each loop."""
        for node in _walk(self._root):
            if node.HasField("comprehension_expr"):
                within = list(_walk(node))[1:]
                yield Loop(
                    self._offsets.get(node.id, 0),
                    loops=any(each.HasField("comprehension_expr") for each in within),
                    matches=any(each.call_expr.function == "matches" for each in within),
                    items=sum(map(_items, within)),
                )

    def joins(self) -> Iterator[int]:
        """The offset of each + that joins texts or lists, or may do so."""
        for node in _walk(self._root):
            call = node.call_expr
            joins = call.function == _PLUS and self._overloads.get(node.id, _JOINS) & _JOINS
            if joins and call.args[0].ident_expr.name != _ACCUMULATED:
                yield self._offsets.get(node.id, 0)

    def comparisons(self) -> Iterator[Compared]:
        """Each comparison of a field with a word."""
        for node in _walk(self._root):
            if node.call_expr.function in (*_EQUALITY, _IN) and len(node.call_expr.args) == 2:  # noqa: PLR2004 - binary
                yield from self._compared(*node.call_expr.args)

    def patterns(self) -> Iterator[tuple[str | None, int]]:
        """Each regular expression and its offset; None for one that does not stand in the condition."""
        for node in _walk(self._root):
            if node.call_expr.function == "matches":
                pattern = node.call_expr.args[-1]
                yield _word(pattern), self._offsets.get(pattern.id, 0)

    def _compared(self, left: Node, right: Node) -> Iterator[Compared]:
        for one, other in ((left, right), (right, left)):
            field = _field(one)
            for each in (other, *other.list_expr.elements) if field else ():
                word = _word(each)
                if word is not None:
                    yield Compared(field, word, self._offsets.get(each.id, 0))


def _items(node: Node) -> int:
    """How many items a list or map has; a list of one, as map and filter make them, is none."""
    count = len(node.list_expr.elements) + len(node.struct_expr.entries)
    return count if count > 1 else 0


def _word(node: Node) -> str | None:
    constant = node.const_expr
    return constant.string_value if constant.HasField("string_value") else None


def _field(node: Node, *, asked_for: bool = False) -> str:
    """The dotted name of what a node reads, or asks for by has(); "" where it does not."""
    select = node.select_expr
    if not select.field or select.test_only != asked_for:
        return ""
    owner = select.operand.ident_expr.name or _field(select.operand)
    return f"{owner}.{select.field}" if owner else ""


def _walk(node: Node) -> Iterator[Node]:
    yield node
    for child in _children(node):
        yield from _walk(child)


def _children(node: Node) -> Iterator[Node]:
    if node.HasField("select_expr"):
        yield node.select_expr.operand
    if node.HasField("call_expr"):
        if node.call_expr.HasField("target"):
            yield node.call_expr.target
        yield from node.call_expr.args
    yield from node.list_expr.elements
    for entry in node.struct_expr.entries:
        yield from (entry.map_key, entry.value)
    if node.HasField("comprehension_expr"):
        loop = node.comprehension_expr
        yield from (loop.iter_range, loop.accu_init, loop.loop_condition, loop.loop_step, loop.result)


def _declare() -> Any:  # noqa: ANN401 - as above
    scalars = descriptor_pb2.FieldDescriptorProto
    types = {
        "string": scalars.TYPE_STRING,
        "bool": scalars.TYPE_BOOL,
        "int32": scalars.TYPE_INT32,
        "int64": scalars.TYPE_INT64,
    }
    file = descriptor_pb2.FileDescriptorProto(name="checked.proto", package=_PACKAGE, syntax="proto2")
    for message, fields in _DECLARED.items():
        declared = file.message_type.add(name=message)
        for name, (number, kind) in fields.items():
            label = scalars.LABEL_REPEATED if kind.endswith("*") else scalars.LABEL_OPTIONAL
            type_ = types.get(kind.rstrip("*"), scalars.TYPE_MESSAGE)
            type_name = f".{_PACKAGE}.{kind.rstrip('*')}" if type_ == scalars.TYPE_MESSAGE else None
            declared.field.add(name=name, number=number, label=label, type=type_, type_name=type_name)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.CheckedExpr"))


_CHECKED: Final = _declare()
