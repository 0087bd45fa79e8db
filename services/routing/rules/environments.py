"""Where conditions are compiled: against the types of what they may speak of, and as they are asked later."""

from collections.abc import Iterable
from functools import cache
from typing import Any, Final

from cel_expr_python import cel
from google.protobuf import descriptor_pb2, descriptor_pool

from services.routing.rules.variables import FIELDS

_PACKAGE: Final = "ascolto.rules"
_MAP: Final = cel.Type.Map(cel.Type.STRING, cel.Type.DYN)
_SCALARS: Final = {
    "string": descriptor_pb2.FieldDescriptorProto.TYPE_STRING,
    "strings": descriptor_pb2.FieldDescriptorProto.TYPE_STRING,
    "int": descriptor_pb2.FieldDescriptorProto.TYPE_INT64,
    "double": descriptor_pb2.FieldDescriptorProto.TYPE_DOUBLE,
    "bool": descriptor_pb2.FieldDescriptorProto.TYPE_BOOL,
}

PLAIN: Final = cel.NewEnv(variables={"post": _MAP, "classification": _MAP})
"""In which conditions are asked: each variable is a map, in which what a post does not have is missing."""


@cache
def typed() -> Any:  # noqa: ANN401 - published without types
    """In which conditions are checked: each variable is a message with the fields of the table."""
    file = descriptor_pb2.FileDescriptorProto(name="rules.proto", package=_PACKAGE, syntax="proto3")
    for owner, fields in FIELDS.items():
        message = file.message_type.add(name=message_of(owner))
        for number, (name, field) in enumerate(fields.items(), start=1):
            label = message.field.add(name=name, number=number, type=_SCALARS[field.type])
            label.label = label.LABEL_REPEATED if field.type == "strings" else label.LABEL_OPTIONAL
    for owner in FIELDS:
        holder, _, name = owner.rpartition(".")
        if holder:
            _nest(next(each for each in file.message_type if each.name == message_of(holder)), name)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    variables = {name: cel.Type(f"{_PACKAGE}.{message_of(name)}") for name in FIELDS if "." not in name}
    return cel.NewEnv(pool, variables=variables)


def together(conditions: Iterable[str]) -> str:
    """Several conditions as one expression, the list of their answers; nested one level deeper than each alone."""
    # The line break ends a comment, with which a condition may end.
    return "[{}]".format(",".join(f"({each}\n)" for each in conditions))


def message_of(owner: str) -> str:
    """The message that has the fields of "classification.urgency"."""
    return owner.rpartition(".")[2].capitalize()


def _nest(message: descriptor_pb2.DescriptorProto, name: str) -> None:
    kind = descriptor_pb2.FieldDescriptorProto.TYPE_MESSAGE
    optional = descriptor_pb2.FieldDescriptorProto.LABEL_OPTIONAL
    type_name = f".{_PACKAGE}.{message_of(name)}"
    message.field.add(name=name, number=len(message.field) + 1, type=kind, label=optional, type_name=type_name)
