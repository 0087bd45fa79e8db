"""Tokens that were verified a moment ago, because verifying one costs more than most calls."""

import hashlib
import time
from collections.abc import Callable
from dataclasses import dataclass

import jwt

from chassis.auth.principal import Principal

_CAPACITY = 2048


@dataclass(frozen=True, slots=True)
class Verified:
    """What a token was found to say; it holds while its key does, until `expires_at` (seconds since 1970)."""

    key: jwt.PyJWK
    expires_at: float
    principal: Principal


class TokenMemory:
    """Verified tokens by their hash, the oldest forgotten first."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self._now = now
        self._verified: dict[bytes, Verified] = {}

    def recall(self, token: str) -> Verified | None:
        """What `token` says, unless it has expired or was never verified."""
        found = self._verified.get(_digest(token))
        return found if found is not None and self._now() < found.expires_at else None

    def remember(self, token: str, verified: Verified) -> None:
        """Keep what a full verification of `token` found."""
        if len(self._verified) >= _CAPACITY:
            del self._verified[next(iter(self._verified))]
        self._verified[_digest(token)] = verified


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
