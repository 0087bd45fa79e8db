"""What the rules of a tenant make of a classified post: pure; the same for the same rules, post and moment."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from functools import lru_cache
from itertools import chain
from typing import Any, Final, NamedTuple, TypeVar

from ascolto.classification.v1 import classification_pb2 as pb
from ascolto.posts.v1 import post_pb2 as posts
from services.routing.rules.asking import Answer, Answers, Conditions
from services.routing.rules.calendar import Span, always_due
from services.routing.rules.model import LANGUAGE_SKILL, Clear, Setting, TenantRules
from services.routing.vocabulary import UNKNOWN_LANGUAGE, primary_language

V = TypeVar("V")

PRIORITIES: Final = {name.removeprefix("PRIORITY_").lower(): value for name, value in pb.Priority.items() if value}
DEFAULT: Final = "default"
"""Among the names of rules: what holds where none says otherwise."""
_ORDINARY: Final = Setting(priority="normal", calendar="business", skills=(), answer=True)
_OUTCOMES_KEPT: Final = 4096
_DEADLINES_KEPT: Final = 4096
"""Posts that come in within the same second are due together."""
_FIELDS: Final = tuple(field.name for field in fields(Setting))


class Ruling(NamedTuple):
    """What came of it."""

    handling: pb.Handling
    answers: Sequence[Answer]
    """Of each rule's condition, in order."""
    reached: int
    """How many rules counted: one that fired may have stopped those after it."""
    untold: Sequence[tuple[str, str]]
    """Of those the ones whose condition could not be told: name and why."""


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What some rules, having fired, set together."""

    handling: pb.Handling
    """Without its deadlines."""
    respond_within: Span | None
    resolve_within: Span | None
    due: Callable[[int, Span], int]
    answers: Sequence[Answer]
    reached: int
    untold: Sequence[tuple[str, str]]


class Engine:
    """One tenant's rules, ready to be asked."""

    def __init__(self, rules: TenantRules) -> None:
        self.rules = rules
        self._conditions = Conditions([rule.when for rule in rules.rules])
        self._speaks = LANGUAGE_SKILL in chain(*(each.skills or () for each in _settings(rules)))
        self._due = lru_cache(maxsize=_DEADLINES_KEPT)(rules.calendar.due if rules.calendar else always_due)
        self._outcome = lru_cache(maxsize=_OUTCOMES_KEPT)(self._settle)

    def rule(self, classification: pb.Classification, post: posts.Post, heard_at: datetime) -> Ruling:
        """Apply the rules; deadlines count from `heard_at`, when the post was accepted."""
        language = _language(classification, post) if self._speaks else ""
        outcome = self._outcome(self._conditions.ask(classification, post), language)
        handling = pb.Handling()
        handling.CopyFrom(outcome.handling)
        start = int(heard_at.timestamp())
        if outcome.respond_within:
            handling.respond_by.seconds = outcome.due(start, outcome.respond_within)
        if outcome.resolve_within:
            handling.resolve_by.seconds = outcome.due(start, outcome.resolve_within)
        return Ruling(handling, outcome.answers, outcome.reached, outcome.untold)

    def _settle(self, grouped: Answers, language: str) -> _Outcome:
        rules, answers = self.rules.rules, self._conditions.in_order(grouped)
        stopped = (at for at, rule in enumerate(rules, start=1) if rule.stop and answers[at - 1] is True)
        reached = next(stopped, len(rules))
        firing = [rule for rule, answer in zip(rules[:reached], answers, strict=False) if answer is True]
        setting = merged([_ORDINARY, self.rules.default, *(rule.set for rule in firing)])
        handling = pb.Handling(
            queue=setting.queue or "",
            team=_unless_cleared(setting.team),
            priority=PRIORITIES[setting.priority or "normal"],
            answer_not_due=setting.answer is False,
            skills=_spoken(setting.skills or (), language),
            rules=[rule.name for rule in firing],
        )
        return _Outcome(
            handling,
            _unless_cleared(setting.respond_within),
            _unless_cleared(setting.resolve_within),
            due=always_due if setting.calendar == "always" else self._due,
            answers=answers,
            reached=reached,
            untold=[
                (rule.name, answer)
                for rule, answer in zip(rules[:reached], answers, strict=False)
                if isinstance(answer, str)
            ],
        )


def set_by(rules: TenantRules, fired: Collection[str]) -> dict[str, str]:
    """The name of the rule that set each field, where these fired; without what nothing has set."""
    settings = [(DEFAULT, rules.default), *((rule.name, rule.set) for rule in rules.rules if rule.name in fired)]
    return {field: name for name, setting in settings for field in _FIELDS if getattr(setting, field) is not None}


def merged(settings: Iterable[Setting]) -> Setting:
    """All of them as one: of each field what the last one says that says anything."""
    found: dict[str, Any] = {}
    for setting in settings:
        found |= {name: value for name in _FIELDS if (value := getattr(setting, name)) is not None}
    return Setting(**found)


def _unless_cleared(value: V | Clear | None) -> V | None:
    return None if isinstance(value, Clear) else value


def _settings(rules: TenantRules) -> Iterator[Setting]:
    yield rules.default
    yield from (rule.set for rule in rules.rules)


def _language(classification: pb.Classification, post: posts.Post) -> str:
    """The language of a post as in "pt"; "" where it is not known."""
    tags = (classification.language, post.utterance.language_hint)
    known = (primary_language(tag.replace("_", "-")) for tag in tags)
    return next((language for language in known if language != UNKNOWN_LANGUAGE), "")


def _spoken(skills: Iterable[str], language: str) -> list[str]:
    """The skills, with the language of the post where they ask for it, and without that where it is not known."""
    named = (language if skill == LANGUAGE_SKILL else skill for skill in skills)
    return list(dict.fromkeys(skill for skill in named if skill))
