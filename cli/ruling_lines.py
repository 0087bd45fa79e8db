"""What rules make of a post, and why: for people and for programs."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from google.protobuf.json_format import MessageToDict

from ascolto.classification.v1 import classification_pb2 as pb
from services.routing.rules.engine import Engine, Ruling

_TEXT_CHARACTERS: Final = 100
_MARKS: Final = {"fired": "✓", "not_fired": "·", "failed": "!", "not_reached": " "}


class Step(NamedTuple):
    """One rule: whether it fired, and what its condition is."""

    name: str
    outcome: str
    """fired, not_fired, failed (its condition could not be told) or not_reached (an earlier one stopped)."""
    when: str
    reason: str = ""
    """Why it failed."""


def steps(engine: Engine, ruling: Ruling) -> list[Step]:
    """Every rule, in order."""
    return [
        Step(rule.name, _outcome(at < ruling.reached, answer), rule.when, answer if isinstance(answer, str) else "")
        for at, (rule, answer) in enumerate(zip(engine.rules.rules, ruling.answers, strict=True))
    ]


def as_json(line: int, classification: pb.Classification, engine: Engine, ruling: Ruling | None) -> dict[str, Any]:
    """One post; without `handling` where nothing is to be done about it."""
    shown: dict[str, Any] = {"line": line, "classification": _plain(classification)}
    if ruling is not None:
        shown |= {"rules": [step._asdict() for step in steps(engine, ruling)], "handling": _plain(ruling.handling)}
    return shown


def as_text(
    line: int, text: str, classification: pb.Classification, engine: Engine, ruling: Ruling | None
) -> Iterator[str]:
    """One post, as lines."""
    yield f"{line}: {_shortened(text)}"
    yield f"   {_classified(classification)}"
    if ruling is None:
        yield "   nothing is to be done: the brand's own post, or a deletion"
        return
    for step in steps(engine, ruling):
        because = f" ({step.reason})" if step.reason else ""
        yield f"   {_MARKS[step.outcome]} {step.name}: {step.outcome}: {' '.join(step.when.split())}{because}"
    yield f"   → {_handled(engine, ruling.handling)}"


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
