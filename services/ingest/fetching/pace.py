"""How long to wait: between two looks, after failures, and as a network's headers say. Pure but for the dice."""

import math
import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.ingest.payload import read_time

_EPOCH_FROM: Final = 1_000_000_000
"""A reset given as a number this large is a moment, a smaller one a number of seconds."""
_MAX_PAUSE_SECONDS: Final = 24 * 3600.0
_REMAINING: Final = ("x-ratelimit-remaining", "x-rate-limit-remaining", "ratelimit-remaining")
_RESET: Final = ("x-ratelimit-reset", "x-rate-limit-reset", "ratelimit-reset")


@dataclass(frozen=True, slots=True)
class Schedule:
    """How often a network is asked; `jitter` spreads the askers, as a part of the interval."""

    every_seconds: float
    jitter: float = 0.1

    def wait_seconds(self, at_least_seconds: float = 0.0) -> float:
        """How long to wait until the next look; never sooner than the network allows."""
        spread = self.every_seconds * self.jitter
        return max(self.every_seconds + random.uniform(-spread, spread), at_least_seconds)  # noqa: S311 - no secret


@dataclass(frozen=True, slots=True)
class Backoff:
    """How long to wait after failures: doubling, with a cap, and jittered so that replicas do not come back as one."""

    base_seconds: float = 2.0
    cap_seconds: float = 300.0

    def wait_seconds(self, failures: int, at_least_seconds: float | None = None) -> float:
        """How long to wait after the failure number `failures` (from 1)."""
        full = min(self.cap_seconds, self.base_seconds * 2.0 ** min(failures - 1, 30))
        return max(full * random.uniform(0.5, 1.0), at_least_seconds or 0.0)  # noqa: S311 - no secret


def pause_seconds(headers: Mapping[str, str], now: datetime) -> float | None:
    """How long the network wants to be left alone: Retry-After, or the reset of a quota that is used up.

    Headers are read as RFC 9110, the IETF draft, Reddit (seconds), Mastodon (RFC 3339) and X (epoch) write them.
    """
    after = _moment(headers.get("retry-after"), now)
    if after is not None:
        return after
    remaining = _number(next((headers[name] for name in _REMAINING if name in headers), None))
    if remaining is None or remaining >= 1:
        return None
    return _moment(next((headers[name] for name in _RESET if name in headers), None), now)


def _moment(value: str | None, now: datetime) -> float | None:
    """Seconds from now until what a header says, as a number, an epoch or a date; None where it cannot be read."""
    if value is None:
        return None
    number = _number(value)
    if number is not None:
        return _bounded(number - now.timestamp() if number >= _EPOCH_FROM else number)
    at = read_time(value)
    return _bounded((at - now).total_seconds()) if at else None


def _number(value: str | None) -> float | None:
    try:
        number = float(value or "")
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _bounded(seconds: float) -> float:
    return min(max(seconds, 0.0), _MAX_PAUSE_SECONDS)
