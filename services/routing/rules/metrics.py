"""What rules count: conditions that could not be told, posts they broke down over, and how often they were read."""

from typing import Final

from opentelemetry import metrics

from chassis.semantics import ASCOLTO_TENANT

RULE: Final = "ascolto.rule"
"""Attribute: the name of a rule."""
OUTCOME: Final = "ascolto.outcome"
"""Attribute: "applied", or "refused" where a file cannot be used."""

_meter = metrics.get_meter("services.routing.rules")
_untold = _meter.create_counter(
    "ascolto.routing.rules.untold", unit="{post}", description="Conditions that could not be told of a post, by rule"
)
_failed = _meter.create_counter(
    "ascolto.routing.rules.failed", unit="{post}", description="Posts that a tenant's rules broke down over"
)
_reloads = _meter.create_counter(
    "ascolto.routing.rules.reloads", unit="{file}", description="Files of rules that changed, by whether they count now"
)


def untold(tenant: str, rule: str) -> None:
    """Count a condition that read what a post does not have, or failed otherwise: its rule did not fire."""
    _untold.add(1, {ASCOLTO_TENANT: tenant, RULE: rule})


def failed(tenant: str) -> None:
    """Count a post that was handled by the tenant's default, because the rules broke down over it."""
    _failed.add(1, {ASCOLTO_TENANT: tenant})


def reloaded(tenant: str, *, applied: bool) -> None:
    """Count a file that changed."""
    _reloads.add(1, {ASCOLTO_TENANT: tenant, OUTCOME: "applied" if applied else "refused"})
