"""Judgements as they are printed: objects for programs, some lines each in 100 columns for people."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from rich.cells import cell_len, set_cell_size

from ascolto.classification.v1 import classification_pb2 as pb
from ascolto.posts.v1 import post_pb2 as posts
from cli.mix_lines import shares
from services.routing.decisions import urgency_of
from services.routing.judgement import Category, Evidence, Judgement, Stage

COLUMNS: Final = 100
_SENTIMENTS: Final = ("very negative", "negative", "neutral", "positive", "very positive")
_STAGES: Final = {Stage.LINEAR: "linear", Stage.ENCODER: "encoder", Stage.LANGUAGE_MODEL: "language"}
_ROW: Final = "{line:>7} {category:<10}{decision:<8}{kind:<20}{shares}  {sentiment:<14}{urgency:<9}{language:<5}{stage}"
_INDENT: Final = 8
_ANSWERED, _ABSTAINED = "", "unsure"
SMALL_TOXICITY: Final = 0.1
"""Below this people are told nothing of it."""


def shown(line: int, judgement: Judgement, *, evidence: bool) -> dict[str, Any]:
    """Everything that was judged, for programs."""
    row: dict[str, Any] = {
        "line": line,
        "category": judgement.category.value,
        "probabilities": {category.value: round(share, 4) for category, share in judgement.probabilities.items()},
        "kind": judgement.kind.value,
        "sentiment": judgement.sentiment,
        "urgency": {"level": _level(judgement), "reasons": [reason.value for reason in judgement.urgency]},
        "topics": list(judgement.topics),
        "toxicity": round(judgement.toxicity, 4),
        "language": judgement.language,
        "stage": judgement.stage.value,
        "abstained": judgement.abstained,
        "mix": shares(judgement.mix),
        "reasons": list(judgement.reasons),
        "model": judgement.model,
    }
    return row | {"evidence": [_place(each) for each in judgement.evidence]} if evidence else row


def heading() -> str:
    """The names of the columns; the probabilities are in percent."""
    return _ROW.format(
        line="line",
        category="category",
        decision="",
        kind="kind",
        shares=" ".join(f"{category.value[:2]:>2}%" for category in Category),
        sentiment="sentiment",
        urgency="urgency",
        language="lang",
        stage="stage",
    )


def told(line: int, judgement: Judgement, *, evidence: bool) -> Iterator[str]:
    """What was judged, and beneath it what else, who judged and why, each within `COLUMNS`."""
    yield _ROW.format(
        line=line,
        category=judgement.category.value,
        decision=_ABSTAINED if judgement.abstained else _ANSWERED,
        kind=judgement.kind.value,
        shares=" ".join(f"{100 * judgement.probabilities.get(category, 0):>3.0f}" for category in Category),
        sentiment=_SENTIMENTS[judgement.sentiment - 1],
        urgency=_level(judgement),
        language=judgement.language or "-",
        stage=_STAGES[judgement.stage],
    ).rstrip()
    words = (
        f"{judgement.model}:",
        *_topics(judgement),
        *_toxicity(judgement),
        *_urgencies(judgement),
        *_mix(judgement),
    )
    yield from map(_fitting, _wrapped((*words, *judgement.reasons)))
    for each in judgement.evidence if evidence else ():
        yield _fitting(f"{each.output} <- {each.feature}{_range(each)}")


def refused(line: int, error: str) -> str:
    """What stands in the place of a line that holds no text."""
    return f"{line:>7} could not be read: {error}"


def _topics(judgement: Judgement) -> Iterator[str]:
    return (f"topic:{topic}" for topic in judgement.topics)


def _toxicity(judgement: Judgement) -> Iterator[str]:
    if judgement.toxicity >= SMALL_TOXICITY:
        yield f"toxicity:{judgement.toxicity:.2f}"


def _urgencies(judgement: Judgement) -> Iterator[str]:
    return (f"urgency:{reason.value}" for reason in judgement.urgency)


def _mix(judgement: Judgement) -> Iterator[str]:
    if judgement.mix:
        yield f"mix:{'/'.join(f'{100 * share:.0f}' for share in judgement.mix)}%"


def _level(judgement: Judgement) -> str:
    level = urgency_of(judgement, posts.Post()).level
    return pb.UrgencyLevel.Name(level).removeprefix("URGENCY_LEVEL_").lower()


def _place(evidence: Evidence) -> dict[str, Any]:
    place = {} if evidence.start is None else {"start": evidence.start, "end": evidence.end}
    return {"output": evidence.output, "feature": evidence.feature, **place}


def _range(evidence: Evidence) -> str:
    return "" if evidence.start is None else f" [{evidence.start}:{evidence.end}]"


def _wrapped(words: Iterable[str]) -> Iterator[str]:
    """The words on as few lines as hold them."""
    line = ""
    for word in words:
        if line and cell_len(f"{line} {word}") > COLUMNS - _INDENT:
            yield line
            line = word
        else:
            line = f"{line} {word}".lstrip()
    yield line


def _fitting(text: str) -> str:
    """Indented, cut to the width of the terminal, and without what would steer it."""
    printable = "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)
    width = COLUMNS - _INDENT
    cut = printable if cell_len(printable) <= width else set_cell_size(printable, width - 1).rstrip() + "…"
    return " " * _INDENT + cut
