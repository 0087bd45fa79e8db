"""Decisions about posts as people read them."""

from collections.abc import Iterator
from datetime import UTC
from typing import Final

from ascolto.classification.v1 import classification_pb2 as pb
from ascolto.routing.v1.routing_service_pb2 import Decision
from cli.console import printable
from services.routing.vocabulary import CATEGORY_WORDS, DECISION_WORDS, KIND_WORDS, NO_KIND

HISTORY: Final = ("category", "kind", "decision", "probability", "detail")
"""What fits 80 columns; `--json` has everything."""
ETAG_SHOWN: Final = 8
"""Characters that tell the few decisions of one post apart."""
_QUIET: Final = frozenset({pb.URGENCY_LEVEL_UNSPECIFIED, pb.URGENCY_LEVEL_NORMAL})


def id_of(decision: Decision) -> str:
    """The post, as commands take it."""
    return decision.post_name.rpartition("/")[2]


def waiting(decision: Decision) -> Iterator[str]:
    """A post that waits for a person: what it is called and taken for, and beneath it what it says."""
    level = decision.classification.urgency.level
    urgency = "" if level in _QUIET else pb.UrgencyLevel.Name(level).removeprefix("URGENCY_LEVEL_").lower()
    yield f"{id_of(decision)}  etag {decision.etag[:ETAG_SHOWN]}  {word(decision):<10}  {urgency}".rstrip()
    yield f"  {printable(decision.post.utterance.text)}"


def word(decision: Decision) -> str:
    """What the post is; with a question mark where nobody is sure."""
    judged = decision.classification
    return f"{CATEGORY_WORDS[judged.category]}{'?' if judged.decision == pb.DECISION_ABSTAINED else ''}"


def said(decision: Decision) -> str:
    """What was decided, by whom, when and why."""
    by_whom = decision.corrected_by or decision.classification.model or "a rule"
    when = f"{decision.decide_time.ToDatetime(tzinfo=UTC):%Y-%m-%d %H:%M} UTC"
    why = f': "{decision.correction_reason}"' if decision.correction_reason else ""
    return printable(f"{word(decision)}, by {by_whom} at {when}{why}")


def history_row(decision: Decision) -> dict[str, str]:
    """One of the decisions about a post."""
    judged = decision.classification
    share = next((each.probability for each in judged.probabilities if each.category == judged.category), None)
    return {
        "category": CATEGORY_WORDS[judged.category],
        "kind": KIND_WORDS.get(judged.kind, NO_KIND),
        "decision": DECISION_WORDS.get(judged.decision, ""),
        "probability": "" if share is None else f"{share:.2f}",
        "detail": " ".join(filter(None, (judged.model, decision.corrected_by, decision.correction_reason))),
    }
