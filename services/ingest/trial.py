"""Trying an integration: is it complete, does the network answer, and what would its payloads become? Pure."""

import math
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from contracts.integrations import Integration, IntegrationsError
from services.ingest.connector import MALFORMED, Ignored, Outcome, Reason
from services.ingest.connectors import connectors
from services.ingest.fetching import coverage as fetching
from services.ingest.fetching.source import FetchFailed
from services.ingest.hookbody import parse_hook
from services.ingest.importrows import parse_rows
from services.ingest.normalizer import Accepted, Normalizer
from services.ingest.rawpost import Invalid
from services.ingest.sources import account_of, build_hook, connector_of
from services.ingest.verification import META

MAX_TRIALS: Final = 20


class Check(NamedTuple):
    """One thing that was looked at."""

    name: str
    passed: bool
    detail: str
    """What was found; where it did not pass: what to do."""


def checks(integration: Integration, normalizer: Normalizer) -> list[Check]:
    """Look at everything that can be known without asking the network; its secrets are there."""
    found = [_connector(integration), _account(integration)]
    if integration.kind == "webhook" and integration.network:
        found += _hook(integration, integration.network, normalizer)
    return found


def trials(
    integration: Integration, normalizer: Normalizer, payloads: Sequence[bytes], now: datetime
) -> list[Accepted | Ignored]:
    """What the last things in the payloads would become under this integration, the newest last."""
    tried: deque[Accepted | Ignored] = deque(maxlen=MAX_TRIALS)
    for payload in payloads:
        tried.extend(_newest_last([_tried(each, normalizer, now) for each in _outcomes(integration, payload)]))
    return list(tried)


def items_in(integration: Integration, payload: bytes) -> int:
    """How many things a payload tells."""
    return sum(1 for _ in _outcomes(integration, payload))


def answered(items: int) -> Check:
    """The network answered."""
    return Check("network", True, f"it answers, with {items} items" if items else "it answers, and says nothing new")


def not_answered(failed: FetchFailed) -> Check:
    """It did not."""
    wait_seconds = failed.retry_after_seconds
    advice = f"wait for {math.ceil(wait_seconds)} s" if wait_seconds else _ADVICE[failed.reason]
    return Check("network", False, f"{failed.reason.value} ({failed.message}): {advice}")


_ADVICE: Final[Mapping[fetching.Reason, str]] = {
    fetching.Reason.AUTH_FAILED: "give it a secret that is good, and what it allows: integrations rotate",
    fetching.Reason.CLOSED: "check account, url and settings, and what the secret allows",
    fetching.Reason.UNREACHABLE: "check url and settings, which must name a public address by https, and try again",
    fetching.Reason.RATE_LIMITED: "wait some minutes, and ask less often by the setting every_seconds",
}


def _connector(integration: Integration) -> Check:
    network, kind = integration.network, integration.kind
    connector = connectors().get(network) if network else None
    if kind in {"import", "web_chat"}:
        return Check("connector", True, "posts come in our own form")
    if kind == "webhook":
        reads = connector_of(network) if network else None
        form = f"that of {reads.title}" if reads else "that of Standard Webhooks, which a program of yours sends"
        return Check("connector", True, f"the form of a delivery is {form}")
    if connector is None:
        return Check("connector", False, f"there is no connector for {network}: docs/networks.md names those there are")
    if kind not in connector.transports:
        ways = ", ".join(connector.transports)
        return Check("connector", False, f"{connector.title} is heard by {ways}: add it anew with one of these kinds")
    return Check("connector", True, f"{connector.title} by {kind}")


def _account(integration: Integration) -> Check:
    known = bool(integration.account or integration.own_authors) or integration.kind == "web_chat"
    advice = "neither account nor own_authors is given: what the brand itself writes would count as somebody else's"
    return Check("account", known, "own posts are recognised" if known else advice)


def _hook(integration: Integration, network: str, normalizer: Normalizer) -> Iterator[Check]:
    try:
        hook = build_hook(integration, network, normalizer)
    except IntegrationsError as error:
        yield Check("secrets", False, str(error))
        return
    count = len(hook.keys.secrets)
    yield Check("secrets", True, f"{count} live for {hook.scheme.name}")
    if hook.scheme is META:
        known = bool(hook.keys.verify_token)
        detail = "the handshake knows it" if known else "none is given: Meta's handshake would be refused"
        yield Check("verify_token", known, detail)


def _outcomes(integration: Integration, payload: bytes) -> Iterable[Outcome]:
    network = integration.network
    if integration.kind == "import":
        return [_or_ignored(row.post) for row in parse_rows(payload.splitlines())] or [MALFORMED]
    connector = connector_of(network) if integration.kind == "webhook" and network else connectors().get(network or "")
    if connector is not None:
        return connector.normalize(payload, account_of(integration))
    posts = parse_hook(payload, network or "")
    return [_or_ignored(posts)] if isinstance(posts, Invalid) else posts


def _newest_last(tried: Sequence[Accepted | Ignored]) -> Sequence[Accepted | Ignored]:
    """Listings begin with what is newest."""
    times = [each.event_time for each in tried if isinstance(each, Accepted) and each.event_time]
    return tried[::-1] if times and times[0] > times[-1] else tried


def _or_ignored(outcome: Outcome | Invalid) -> Outcome:
    if not isinstance(outcome, Invalid):
        return outcome
    return Ignored(Reason.INVALID, f"{outcome.field}: {outcome.description}".removeprefix(": "))


def _tried(outcome: Outcome, normalizer: Normalizer, now: datetime) -> Accepted | Ignored:
    if isinstance(outcome, Ignored):
        return outcome
    result = normalizer.normalize(outcome, received_at=now)
    if isinstance(result, Accepted):
        return result
    return Ignored(Reason.INVALID, f"{result.field}: {result.description}".removeprefix(": "))
