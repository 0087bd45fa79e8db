"""The rules of a tenant as values, once they are known to be right."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Final, Literal, TypeAlias

from services.routing.judgement import Mix
from services.routing.mix import Stream
from services.routing.rules.calendar import Calendar, Span

PRIORITIES: Final = ("low", "normal", "high", "urgent")
LANGUAGE_SKILL: Final = "$language"
"""Among skills: the language of the post, where it is known."""


class Clear(Enum):
    """Says that a rule takes away what an earlier one set; `none` in the file."""

    NONE = "none"


NONE: Final = Clear.NONE
Clock: TypeAlias = Literal["business", "always"]
"""Whether deadlines count in the tenant's business hours or around the clock."""
CLOCKS: Final[tuple[Clock, ...]] = ("business", "always")


@dataclass(frozen=True, slots=True)
class Setting:
    """What a rule sets; None: what was set before stays."""

    queue: str | None = None
    team: str | Clear | None = None
    priority: str | None = None
    respond_within: Span | Clear | None = None
    resolve_within: Span | Clear | None = None
    calendar: Clock | None = None
    skills: tuple[str, ...] | None = None
    answer: bool | None = None


@dataclass(frozen=True, slots=True)
class Rule:
    """What to set where a condition holds."""

    name: str
    when: str
    """CEL, of type bool."""
    set: Setting
    stop: bool = False
    """No later rule is asked."""


@dataclass(frozen=True, slots=True)
class TenantRules:
    """Everything that a tenant's file says; `default` sets the queue."""

    default: Setting
    rules: tuple[Rule, ...] = ()
    calendar: Calendar | None = None
    """None: always open."""
    mixes: Mapping[Stream, Mix] = field(default_factory=dict)
    """What the posts of a stream usually are."""
