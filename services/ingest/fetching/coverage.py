"""Coverage: whether an integration hears what is said, decided from what happened and what was expected."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from typing import Final, NamedTuple


class Reason(Enum):
    """Why an integration does not hear."""

    SILENT = "nothing was said for longer than expected"
    AUTH_FAILED = "the network does not accept our credentials"
    CLOSED = "what we ask for is there no more, or not for us"
    UNREACHABLE = "the network does not answer, or not in its protocol"
    RATE_LIMITED = "the network has told us to wait"
    DISABLED = "people switched it off"
    UNUSABLE = "it cannot be used as it is configured"


class Missed(Enum):
    """Why what was said for a while can never be had."""

    SESSION_ENDED = "the network keeps what is said while we are away for a while only, and that was over"
    CURSOR_OUTDATED = "the network's log does not reach back any more to where we were"
    LISTING_TOO_LONG = "more was said between two looks than the network lists, or than we read back"
    TURNED_AWAY = "what was delivered meanwhile was refused, and nobody delivers it again"


_AT_ONCE: Final = frozenset({Reason.AUTH_FAILED, Reason.CLOSED})
"""Waiting does not mend these: a person must."""
_TURNS_AWAY: Final = frozenset({Reason.AUTH_FAILED, Reason.DISABLED, Reason.UNUSABLE})
"""While one of these holds, every delivery is refused."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What is normal for an integration."""

    silence_seconds: float | None = None
    """How long nobody may say anything; None: for ever, as with a brand that nobody talks about."""
    failing_seconds: float = 300.0
    """How long attempts may fail before that is a gap and no mere hiccup."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What happened; times in UTC."""

    since: datetime
    """When we began to listen."""
    heard_at: datetime | None = None
    """When a post came last that had not been kept before; of who delivers, when a delivery came last."""
    checked_at: datetime | None = None
    """When the network answered last, be it with nothing."""
    failing_since: datetime | None = None
    failure: Reason | None = None

    def checked(self, now: datetime, *, heard: bool) -> "Facts":
        """The network answered."""
        return Facts(self.since, now if heard else self.heard_at, now)

    def failed(self, now: datetime, failure: Reason) -> "Facts":
        """It did not."""
        return replace(self, failing_since=self.failing_since or now, failure=failure)

    def enabled(self, now: datetime) -> "Facts":
        """It was switched off, and is not any more: nothing else of before counts."""
        return Facts(now, self.heard_at)

    @property
    def tell_nothing(self) -> bool:
        """Whether nothing has happened yet that tells of its coverage."""
        return self.checked_at is None and self.failure is None


class State(NamedTuple):
    """Whether the integration hears."""

    reason: Reason | None
    """None: it does."""
    since: datetime | None = None
    """When the gap began."""


COVERED: Final = State(None)


class Standing(NamedTuple):
    """How an integration stands."""

    integration: str
    tenant: str
    facts: Facts
    state: State


class CoverageChange(NamedTuple):
    """An integration began to hear again, stopped, or does not hear for another reason than before."""

    integration: str
    tenant: str
    before: State
    now: State
    heard_at: datetime | None = None


class Gap(NamedTuple):
    """What was said between the two was not heard in full, and cannot be had any more."""

    integration: str
    tenant: str
    reason: Missed
    since: datetime
    until: datetime


def turned_away(before: Standing, now: State, at: datetime) -> Gap | None:
    """What of the past an account that is delivered to has missed for good when it becomes `now`."""
    reason, since = before.state
    if reason is now.reason or reason not in _TURNS_AWAY or since is None or since >= at:
        return None
    return Gap(before.integration, before.tenant, Missed.TURNED_AWAY, since, at)


def decide(expectation: Expectation, facts: Facts, now: datetime) -> State:
    """Tell the state at `now`."""
    if facts.failure is not None and facts.failing_since is not None:
        patience_seconds = 0.0 if facts.failure in _AT_ONCE else expectation.failing_seconds
        if now - facts.failing_since >= timedelta(seconds=patience_seconds):
            return State(facts.failure, facts.failing_since)
    last = max(facts.heard_at or facts.since, facts.since)
    if expectation.silence_seconds is not None and now - last > timedelta(seconds=expectation.silence_seconds):
        return State(Reason.SILENT, last)
    return COVERED
