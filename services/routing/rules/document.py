"""YAML that remembers where everything stands, and collects what is wrong instead of ending at the first problem."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Final, NamedTuple, TypeVar

import yaml

from services.routing.rules.problems import Problem

T = TypeVar("T")
W = TypeVar("W", bound=str)

MAX_BYTES: Final = 256 * 1024
_TAG: Final = re.compile(r"(?:[:-]\s+|[\[,]\s*)!")
_TAGGED: Final = "begins with !, which YAML takes for a tag: put the whole of it in single quotes"


class Value(NamedTuple):
    """A part of the file, and where it stands."""

    node: yaml.Node
    field: str

    @property
    def line(self) -> int:
        """From 1."""
        return self.node.start_mark.line + 1

    @property
    def column(self) -> int:
        """From 1."""
        return self.node.start_mark.column + 1


class _Loader(yaml.SafeLoader):
    """Leaves each scalar the tag that is written before it, and "" where there is none."""

    def compose_scalar_node(self, anchor: Any) -> yaml.ScalarNode:  # noqa: ANN401 - PyYAML's
        written = self.peek_event().tag  # type: ignore[no-untyped-call] # PyYAML's
        node = super().compose_scalar_node(anchor)
        node.tag = written or ""
        return node


@dataclass
class Document:
    """One file that is being read."""

    file: str
    text: str
    problems: list[Problem] = field(default_factory=list)

    def root(self) -> Value | None:
        """The whole file; None, and a problem, where it is no YAML."""
        loader: _Loader | None = None
        try:
            loader = _Loader(self.text)
            node = loader.get_single_node()
        except yaml.MarkedYAMLError as error:
            self._not_yaml(error)
        except yaml.reader.ReaderError as error:
            line = self.text.count("\n", 0, error.position) + 1
            self.problems.append(Problem(self.file, line, 0, "", f"is no YAML: {error.reason}"))
        except (ValueError, OverflowError):
            self._no_number(loader)
        except RecursionError:
            self.problems.append(Problem(self.file, 0, 0, "", "is nested too deeply"))
        else:
            if node is not None:
                return Value(node, "")
            self.problems.append(Problem(self.file, 1, 1, "", "is empty: give default and rules"))
        return None

    def wrong(self, value: Value, message: str) -> None:
        """Note that something is wrong with a value."""
        self.problems.append(Problem(self.file, value.line, value.column, value.field, message))

    def wrong_within(self, value: Value, line: int, column: int, message: str) -> None:
        """Note that something is wrong within a text, at a line and column of it that count from 1."""
        at = self._place_within(value, line, column)
        self.problems.append(Problem(self.file, *at, value.field, message))

    def mapping(
        self, value: Value, known: tuple[str, ...], needed: Mapping[str, str] = MappingProxyType({})
    ) -> dict[str, Value]:
        """The fields of a mapping; what is unknown, given twice or missing is a problem.

        `needed` says what is to be given.
        """
        if not isinstance(value.node, yaml.MappingNode):
            self.wrong(value, _TAGGED if _is_tagged(value) else f"must be fields, one a line: {', '.join(known)}")
            return {}
        found: dict[str, Value] = {}
        for key, node in value.node.value:
            name = key.value.encode(errors="replace").decode() if isinstance(key, yaml.ScalarNode) else "?"
            of_key = Value(key, f"{value.field}.{name}".lstrip("."))
            if name not in known:
                self.wrong(of_key, f"is no field; there are {', '.join(known)}")
            elif name in found:
                self.wrong(of_key, f"stands here twice; first in line {found[name].line}")
            else:
                found[name] = Value(node, of_key.field)
        for name in needed.keys() - found.keys():
            self.wrong(value, f"{name}: must be there: {needed[name]}")
        return found

    def items(self, value: Value, what: str) -> list[Value]:
        """The items of a list."""
        if not isinstance(value.node, yaml.SequenceNode):
            self.wrong(value, f"must be a list: {what}")
            return []
        return [Value(node, f"{value.field}[{at}]") for at, node in enumerate(value.node.value)]

    def one_or_more(self, value: Value, what: str) -> list[Value]:
        """The items of a list, or the one value that stands there without one."""
        return [value] if isinstance(value.node, yaml.ScalarNode) else self.items(value, what)

    def says(self, value: Value, word: str) -> bool:
        """Tell whether a value is this word."""
        return bool(value.node.value == word and not _is_tagged(value))

    def text_of(self, value: Value, what: str) -> str | None:
        """The text of a value, as it is written: `no` is the language and not false."""
        wrong = _wrong_with(value.node)
        if wrong is None:
            return str(value.node.value)
        self.wrong(value, wrong or f"must be {what}")
        return None

    def truth_of(self, value: Value) -> bool | None:
        """True or false."""
        text = self.text_of(value, "true or false")
        if text is None or text in {"true", "false"}:
            return None if text is None else text == "true"
        self.wrong(value, "must be true or false")
        return None

    def one_of(self, value: Value, words: tuple[W, ...]) -> W | None:
        """One of a few words."""
        text = self.text_of(value, f"one of {', '.join(words)}")
        found = next((word for word in words if word == text), None)
        if text is not None and found is None:
            self.wrong(value, f"{text!r} must be one of {', '.join(words)}")
        return found

    def parsed(self, value: Value, parse: Callable[[str], T], what: str) -> T | None:
        """What `parse` makes of a text; its ValueError says what is wrong with it."""
        text = self.text_of(value, what)
        if text is None:
            return None
        try:
            return parse(text)
        except ValueError as error:
            self.wrong(value, f"{text!r} {error}")
            return None

    def _not_yaml(self, error: yaml.MarkedYAMLError) -> None:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (0, 0)
        what = ", ".join(each for each in (error.context, error.problem) if each)
        tagged = any(map(_TAG.search, self.text.splitlines()[max(line - 1, 0) : line]))
        advice = f"; what {_TAGGED}" if tagged else ""
        self.problems.append(Problem(self.file, line, column, "", f"is no YAML: {what}{advice}"))

    def _no_number(self, loader: _Loader | None) -> None:
        """Note an escape or a version whose number is none; PyYAML does not say where it stood."""
        line, column = (loader.line + 1, loader.column + 1) if loader else (0, 0)
        self.problems.append(Problem(self.file, line, column, "", "is no YAML: no character has this number"))

    def _place_within(self, value: Value, line: int, column: int) -> tuple[int, int]:
        """Where a place of a text stands in the file; the column is 0 where YAML has changed it."""
        node = value.node
        style = node.style if isinstance(node, yaml.ScalarNode) else None
        if style == "|":
            return value.line + line, self._indent(value.line) + column
        begins = node.start_mark.index + (1 if style else 0)
        if self.text[begins : begins + len(node.value)] == node.value and "\n" not in node.value:
            return value.line, value.column + (1 if style else 0) + column - 1
        return value.line, 0

    def _indent(self, after_line: int) -> int:
        following = self.text.splitlines()[after_line:]
        return next((len(line) - len(line.lstrip(" ")) for line in following if line.strip()), 0)


def _is_tagged(value: Value) -> bool:
    return isinstance(value.node, yaml.ScalarNode) and bool(value.node.tag)


def _wrong_with(node: yaml.Node) -> str | None:
    """Why a node is no text: None where it is one, and "" where it is something else, or nothing."""
    if not isinstance(node, yaml.ScalarNode):
        return ""
    if node.tag:
        return _TAGGED
    if any("\ud800" <= character <= "\udfff" for character in node.value):
        return "has half a character, as \\uD83D is: write the character itself, or all of it as in \\U0001F600"
    return None if node.value else ""
