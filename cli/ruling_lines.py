"""What rules make of a post, and why: for people and for programs."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final, NamedTuple

from google.protobuf.json_format import MessageToDict

from ascolto.classification.v1 import classification_pb2 as pb
from ascolto.posts.v1 import post_pb2 as posts
from services.routing.rules.conditions import reads_of
from services.routing.rules.engine import Engine, Ruling, set_by
from services.routing.rules.reading import Reader

_TEXT_CHARACTERS: Final = 100
_MARKS: Final = {"fired": "✓", "not_fired": "·", "failed": "!", "not_reached": " "}


class Tried(NamedTuple):
    """A post that rules were tried on."""

    engine: Engine
    classification: pb.Classification
    post: posts.Post
    ruling: Ruling | None
    """None where nothing is to be done about it."""


class Step(NamedTuple):
    """One rule: whether it fired, and what its condition is."""

    name: str
    outcome: str
    """fired, not_fired, failed (its condition could not be told) or not_reached (an earlier one stopped)."""
    when: str
    read: Mapping[str, Any]
    """What its condition read, by field, without what the post does not have."""
    reason: str
    """Why it failed; else empty."""


def as_json(line: int, tried: Tried) -> dict[str, Any]:
    """One post; without `handling` where nothing is to be done about it."""
    shown: dict[str, Any] = {"line": line, "classification": _plain(tried.classification)}
    if tried.ruling is not None:
        shown["rules"] = [step._asdict() for step in _steps(tried, tried.ruling)]
        shown["handling"] = _plain(tried.ruling.handling)
        shown["set_by"] = _set_by(tried.engine, tried.ruling)
    return shown


def as_text(line: int, tried: Tried) -> Iterator[str]:
    """One post, as lines."""
    yield f"{line}: {_shortened(tried.post.utterance.text)}"
    yield f"   {_classified(tried.classification)}"
    if tried.ruling is None:
        yield "   nothing is to be done: the brand's own post, or a deletion"
        return
    for step in _steps(tried, tried.ruling):
        read = ", ".join(f"{name}={_shortened(_quoted(value))}" for name, value in step.read.items())
        because = "".join(f" ({part})" for part in (read, step.reason) if part)
        yield f"   {_MARKS[step.outcome]} {step.name}: {step.outcome}: {' '.join(step.when.split())}{because}"
    yield f"   → {_handled(tried.engine, tried.ruling.handling)}"
    yield f"     {', '.join(f'{field} by {rule}' for field, rule in _set_by(tried.engine, tried.ruling).items())}"


def _steps(tried: Tried, ruling: Ruling) -> Iterator[Step]:
    """Every rule, in order."""
    for at, (rule, answer) in enumerate(zip(tried.engine.rules.rules, ruling.answers, strict=True)):
        yield Step(
            rule.name,
            _outcome(at < ruling.reached, answer),
            rule.when,
            _reader(rule.when).values(tried.classification, tried.post),
            answer if isinstance(answer, str) else "",
        )


@cache
def _reader(condition: str) -> Reader:
    return Reader(reads_of(condition).fields)


def _set_by(engine: Engine, ruling: Ruling) -> dict[str, str]:
    return set_by(engine.rules, ruling.handling.rules)


def _quoted(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _outcome(reached: bool, answer: bool | str) -> str:  # noqa: FBT001 - one of two facts about a rule
    if not reached:
        return "not_reached"
    return "failed" if isinstance(answer, str) else "fired" if answer else "not_fired"


def _classified(classification: pb.Classification) -> str:
    category = _word(pb.Category.Name(classification.category), "CATEGORY_")
    kind = _word(pb.Kind.Name(classification.kind), "KIND_")
    decision = _word(pb.Decision.Name(classification.decision), "DECISION_")
    urgency = _word(pb.UrgencyLevel.Name(classification.urgency.level), "URGENCY_LEVEL_")
    reasons = [_word(pb.UrgencyReason.Name(each), "URGENCY_REASON_") for each in classification.urgency.reasons]
    return (
        f"{category} ({decision}), {kind}, sentiment {int(classification.sentiment) or '-'}, urgency {urgency}"
        f"{' (' + ', '.join(reasons) + ')' if reasons else ''}, language {classification.language or '-'}"
        f"{', topics ' + ', '.join(classification.topics) if classification.topics else ''}"
    )


def _handled(engine: Engine, handling: pb.Handling) -> str:
    parts = [f"queue {handling.queue}"]
    if handling.HasField("team"):
        parts.append(f"team {handling.team}")
    parts.append(f"priority {_word(pb.Priority.Name(handling.priority), 'PRIORITY_')}")
    for word, field in (("respond", "respond_by"), ("resolve", "resolve_by")):
        if handling.HasField(field):  # type: ignore[arg-type] # one of the two fields
            parts.append(f"{word} by {_local(engine, getattr(handling, field).ToDatetime(tzinfo=UTC))}")
    if handling.skills:
        parts.append(f"skills {', '.join(handling.skills)}")
    if handling.answer_not_due:
        parts.append("not to be answered")
    return ", ".join(parts)


def _local(engine: Engine, moment: datetime) -> str:
    calendar = engine.rules.calendar
    return f"{moment.astimezone(calendar.zone if calendar else UTC):%a %Y-%m-%d %H:%M %Z}"


def _plain(message: pb.Classification | pb.Handling) -> dict[str, Any]:
    return MessageToDict(message, preserving_proto_field_name=True)


def _word(name: str, prefix: str) -> str:
    return name.removeprefix(prefix).lower()


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _TEXT_CHARACTERS else f"{line[: _TEXT_CHARACTERS - 1]}…"
