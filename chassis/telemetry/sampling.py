"""Which traces are kept: a share of the units of work, and none of the polling between them."""

from collections.abc import Sequence

from opentelemetry.context import Context
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF, Sampler, SamplingResult, TraceIdRatioBased
from opentelemetry.trace import Link, SpanKind, TraceState
from opentelemetry.util.types import Attributes


class UnitsOfWork(Sampler):
    """Sampler of root spans: a client span without a parent is a loop that looks for work, not work."""

    def __init__(self, ratio: float) -> None:
        self._kept = TraceIdRatioBased(ratio)

    def should_sample(  # noqa: PLR0913, PLR0917 - the signature of the base class
        self,
        parent_context: Context | None,
        trace_id: int,
        name: str,
        kind: SpanKind | None = None,
        attributes: Attributes = None,
        links: Sequence[Link] | None = None,
        trace_state: TraceState | None = None,
    ) -> SamplingResult:
        """Drop client spans, keep the configured share of the others."""
        sampler = ALWAYS_OFF if kind is SpanKind.CLIENT else self._kept
        return sampler.should_sample(parent_context, trace_id, name, kind, attributes, links, trace_state)

    def get_description(self) -> str:
        """Name of this sampler, as the SDK shows it."""
        return f"UnitsOfWork{{{self._kept.get_description()}}}"
