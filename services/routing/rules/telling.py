"""What the log and the metrics learn of the tenants' rules: ids and places, never words of people."""

import re
from time import monotonic
from typing import Final

import structlog

from services.routing.rules import metrics
from services.routing.rules.engine import Engine
from services.routing.rules.problems import RulesError
from services.routing.rules.variables import FIELDS

FAILED_EVERY_SECONDS: Final = 60.0
_MISSING: Final = re.compile(r'Key not found in map : "(\w+)"')
_STATUS: Final = re.compile(r"[A-Z_]+(?=:)")
_KNOWN: Final = frozenset(name for fields in FIELDS.values() for name in fields)
_log = structlog.get_logger(__name__)


class Teller:
    """Counts everything; what may come with every post it logs once, or once in a while."""

    def __init__(self) -> None:
        self._untold: set[tuple[str, str]] = set()
        self._failed_at: dict[str, float] = {}

    def read(self, tenant: str, engine: Engine) -> None:
        """A file counts from now on."""
        metrics.reloaded(tenant, applied=True)
        _log.info("rules_read", tenant=tenant, rules=len(engine.rules.rules))
        self._untold = {told for told in self._untold if told[0] != tenant}

    def refused(self, tenant: str, error: RulesError, *, rules_before: bool) -> None:
        """A file cannot be used; `rules_before` says whether others count for the tenant instead."""
        metrics.reloaded(tenant, applied=False)
        problems = [str(each) for each in error.problems]
        _log.error("rules_refused", tenant=tenant, problems=problems, rules_before=rules_before)

    def untold(self, tenant: str, rule: str, reason: str) -> None:
        """A condition could not be told of a post; logged once for as long as the file stays as it is."""
        metrics.untold(tenant, rule)
        if (tenant, rule) not in self._untold:
            self._untold.add((tenant, rule))
            _log.warning("rule_not_told", tenant=tenant, rule=rule, reason=_without_words(reason))

    def failed(self, tenant: str, error: Exception) -> None:
        """The rules of a tenant broke down over a post; logged once a minute for each tenant."""
        metrics.failed(tenant)
        now = monotonic()
        if now - self._failed_at.get(tenant, -FAILED_EVERY_SECONDS) >= FAILED_EVERY_SECONDS:
            self._failed_at[tenant] = now
            _log.error("rules_failed", tenant=tenant, exc_info=error)


def _without_words(reason: str) -> str:
    """Why a condition could not be told, without what it may quote of a post: a field that we know, or the status."""
    missing = _MISSING.search(reason)
    if missing and missing[1] in _KNOWN:
        return f"the post has no {missing[1]}"
    status = _STATUS.match(reason)
    return status[0] if status else "UNKNOWN"
