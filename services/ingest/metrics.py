"""What ingest counts: posts kept, posts recognised, requests refused, things that are no posts."""

from opentelemetry import metrics

from chassis.semantics import ERROR_TYPE
from services.ingest.connector import Reason

REASON = "ascolto.reason"
"""Attribute: why, as an UPPER_SNAKE word of a closed set."""

_meter = metrics.get_meter("services.ingest")
_accepted = _meter.create_counter(
    "ascolto.ingest.accepted", unit="{post}", description="Posts durably kept for the first time"
)
_duplicates = _meter.create_counter(
    "ascolto.ingest.duplicates", unit="{post}", description="Posts that had been kept before"
)
_refused = _meter.create_counter(
    "ascolto.ingest.refused", unit="{request}", description="Requests and posts that were not taken, by code"
)
_ignored = _meter.create_counter(
    "ascolto.ingest.ignored", unit="{item}", description="Things that networks sent and that become no post, by reason"
)


def kept(accepted: int, duplicates: int) -> None:
    """Count what one commit carried."""
    _accepted.add(accepted)
    _duplicates.add(duplicates)


def refused(code: str, count: int = 1) -> None:
    """Count refusals by their code."""
    _refused.add(count, {ERROR_TYPE: code})


def ignored(reason: Reason, count: int = 1) -> None:
    """Count what becomes no post."""
    _ignored.add(count, {REASON: reason.name})
