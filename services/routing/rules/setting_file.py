"""What a rule sets, as a file of rules says it."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from services.routing.rules.calendar import Span
from services.routing.rules.document import Document, Value
from services.routing.rules.model import CLOCKS, NONE, PRIORITIES, Clear, Setting
from services.routing.rules.parsing import A_NAME, parse_name, parse_skill, parse_span

MAX_SKILLS: Final = 20


def read_setting(document: Document, value: Value, needed: Mapping[str, str] = MappingProxyType({})) -> Setting:
    """Read a setting; a field with a problem counts as one that says nothing."""
    fields = document.mapping(value, FIELDS, needed)
    return Setting(**{name: _READERS[name](document, each) for name, each in fields.items()})


def _name(document: Document, value: Value) -> str | None:
    return document.parsed(value, parse_name, A_NAME)


def _team(document: Document, value: Value) -> str | Clear | None:
    return NONE if document.says(value, NONE.value) else _name(document, value)


def _span(document: Document, value: Value) -> Span | Clear | None:
    if document.says(value, NONE.value):
        return NONE
    return document.parsed(value, parse_span, "a time such as 30m, 4h or 2d, or none")


def _skills(document: Document, value: Value) -> tuple[str, ...]:
    given = document.items(value, "skills, such as de or billing")
    if len(given) > MAX_SKILLS:
        document.wrong(value, f"has {len(given)} skills and may have {MAX_SKILLS}")
    skills = [document.parsed(each, parse_skill, "a skill, such as de or billing") for each in given]
    return tuple(dict.fromkeys(skill for skill in skills if skill))


_READERS: Final[Mapping[str, Callable[[Document, Value], Any]]] = {
    "queue": _name,
    "team": _team,
    "priority": lambda document, value: document.one_of(value, PRIORITIES),
    "respond_within": _span,
    "resolve_within": _span,
    "calendar": lambda document, value: document.one_of(value, CLOCKS),
    "skills": _skills,
    "answer": Document.truth_of,
}
FIELDS: Final = tuple(_READERS)
