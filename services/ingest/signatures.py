"""Standard Webhooks signatures (https://www.standardwebhooks.com): who may deliver to an integration.

The scheme: base64 of HMAC-SHA256 over `id.timestamp.body`, the body byte for byte as it came.
"""

import base64
import binascii
import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

TOLERANCE_SECONDS: Final = 300
"""How far the sender's clock may differ, and how long a delivery could be replayed before dedupe alone counts."""

_PREFIX: Final = "whsec_"
_VERSION: Final = "v1,"
_MAX_SIGNATURES: Final = 8
_MIN_SECRET_BYTES: Final = 16


def read_secret(secret: str) -> bytes:
    """The key in a `whsec_` secret; ValueError says what is wrong without showing it."""
    try:
        key = base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("the webhook secret is not base64 (with or without whsec_)") from None
    if len(key) < _MIN_SECRET_BYTES:
        raise ValueError(f"the webhook secret holds {len(key)} bytes; at least {_MIN_SECRET_BYTES} are needed")
    return key


class Verifier:
    """Knows the live keys of one integration: two while they are being rotated."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._keys = tuple(keys)

    def accepts(self, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
        """Tell whether one of the keys signed this body, for this id, at about `now` (UTC)."""
        message_id = headers.get("webhook-id", "")
        timestamp = headers.get("webhook-timestamp", "")
        signatures = headers.get("webhook-signature", "").split(" ", _MAX_SIGNATURES)[:_MAX_SIGNATURES]
        if not message_id or not _is_recent(timestamp, now):
            return False
        signed = f"{message_id}.{timestamp}.".encode("latin-1", "replace") + body
        expected = [sign(key, signed) for key in self._keys]
        return any(
            hmac.compare_digest(given.encode("latin-1", "replace"), wanted)
            for given in signatures
            for wanted in expected
        )


def sign(key: bytes, signed: bytes) -> bytes:
    """The signature of `id.timestamp.body` as it stands in the header, version included."""
    return _VERSION.encode() + base64.b64encode(hmac.digest(key, signed, "sha256"))


def _is_recent(timestamp: str, now: datetime) -> bool:
    if not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > len("9999999999"):
        return False
    return abs(now.timestamp() - int(timestamp)) <= TOLERANCE_SECONDS
