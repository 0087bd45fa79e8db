"""What ingest counts: posts kept, posts recognised, requests refused."""

from opentelemetry import metrics

from chassis.semantics import ERROR_TYPE

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


def kept(accepted: int, duplicates: int) -> None:
    """Count what one commit carried."""
    _accepted.add(accepted)
    _duplicates.add(duplicates)


def refused(code: str, count: int = 1) -> None:
    """Count refusals by their code."""
    _refused.add(count, {ERROR_TYPE: code})
