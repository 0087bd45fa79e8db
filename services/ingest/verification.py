"""Who may deliver: the signature schemes of the networks, each checked over the bytes as they came.

Sources: Standard Webhooks (https://www.standardwebhooks.com), and the webhook documentation of Meta, X, Slack,
Discord, Telegram, Discourse and LinkedIn. What a scheme expects is compared in constant time.
"""

import base64
import binascii
import hmac
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

TOLERANCE_SECONDS: Final = 300
"""How far the sender's clock may differ, and how long a delivery could be replayed before dedupe alone counts."""

_WHSEC: Final = "whsec_"
_V1: Final = "v1,"
_MAX_SIGNATURES: Final = 8
_MIN_SECRET_BYTES: Final = 16


class Verifier(Protocol):
    """Knows the live secrets of one integration: two while they are being rotated."""

    def accepts(self, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
        """Tell whether the owner of one of the secrets sent this body, at about `now` (UTC) where a time is signed.

        Header names are looked up in lower case. Nothing that is sent makes it raise.
        """


class Scheme(Protocol):
    """A way to sign."""

    @property
    def name(self) -> str:
        """For people, as docs/networks.md tells it."""

    @property
    def header(self) -> str:
        """Where the signature stands, in lower case."""

    def verifier(self, secrets: Sequence[str]) -> Verifier:
        """Prepare the live secrets; ValueError says what is wrong with one without showing it."""


@dataclass(frozen=True, slots=True)
class _Expecting:
    """Compares a header with what each key makes of the delivery."""

    keys: tuple[bytes, ...]
    header: str
    timestamp_header: str | None
    expected: Callable[[bytes, str, bytes], Iterable[bytes]]
    """From key, timestamp ("" where none is signed) and body to what the header may be."""

    def accepts(self, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
        given = headers.get(self.header, "").encode("latin-1", "replace")
        timestamp = headers.get(self.timestamp_header, "") if self.timestamp_header else ""
        if not given or (self.timestamp_header and not is_recent(timestamp, now)):
            return False
        # Every key is tried, so that the time taken does not tell which one matched.
        wanted = [each for key in self.keys for each in self.expected(key, timestamp, body)]
        return sum(hmac.compare_digest(given, each) for each in wanted) > 0


@dataclass(frozen=True, slots=True)
class HmacScheme:
    """A keyed hash in one header, over the body alone or over a text that holds it."""

    name: str
    header: str
    expected: Callable[[bytes, str, bytes], Iterable[bytes]]
    timestamp_header: str | None = None

    def verifier(self, secrets: Sequence[str]) -> Verifier:
        """Take secrets as they are."""
        return _Expecting(tuple(map(_plain_key, secrets)), self.header, self.timestamp_header, self.expected)


@dataclass(frozen=True, slots=True)
class _StandardVerifier:
    keys: tuple[bytes, ...]

    def accepts(self, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:
        message_id = headers.get("webhook-id", "")
        timestamp = headers.get("webhook-timestamp", "")
        signatures = headers.get("webhook-signature", "").split(" ", _MAX_SIGNATURES)[:_MAX_SIGNATURES]
        if not message_id or not is_recent(timestamp, now):
            return False
        signed = f"{message_id}.{timestamp}.".encode("latin-1", "replace") + body
        expected = [sign(key, signed) for key in self.keys]
        return any(
            hmac.compare_digest(given.encode("latin-1", "replace"), wanted)
            for given in signatures
            for wanted in expected
        )


class StandardWebhooks:
    """Base64 of HMAC-SHA256 over `id.timestamp.body`; the header lists one signature or more."""

    name = "Standard Webhooks v1"
    header = "webhook-signature"

    def verifier(self, secrets: Sequence[str]) -> Verifier:
        """Read `whsec_` secrets."""
        return _StandardVerifier(tuple(read_secret(secret) for secret in secrets))


@dataclass(frozen=True, slots=True)
class _Ed25519Verifier:
    keys: tuple[Ed25519PublicKey, ...]

    def accepts(self, headers: Mapping[str, str], body: bytes, now: datetime) -> bool:  # noqa: ARG002 - none is signed
        try:
            signature = bytes.fromhex(headers.get("x-signature-ed25519", ""))
        except ValueError:
            return False
        signed = headers.get("x-signature-timestamp", "").encode("latin-1", "replace") + body
        return any(_is_signed(key, signature, signed) for key in self.keys)


class DiscordEd25519:
    """Ed25519 over timestamp and body; the secret is the application's public key in hex."""

    name = "Discord Ed25519"
    header = "x-signature-ed25519"

    def verifier(self, secrets: Sequence[str]) -> Verifier:
        """Read public keys."""
        try:
            return _Ed25519Verifier(tuple(Ed25519PublicKey.from_public_bytes(bytes.fromhex(each)) for each in secrets))
        except ValueError:
            raise ValueError("a Discord public key is 64 hexadecimal digits") from None


def read_secret(secret: str) -> bytes:
    """The key in a `whsec_` secret; ValueError says what is wrong without showing it."""
    try:
        key = base64.b64decode(secret.removeprefix(_WHSEC), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("the webhook secret is not base64 (with or without whsec_)") from None
    if len(key) < _MIN_SECRET_BYTES:
        raise ValueError(f"the webhook secret holds {len(key)} bytes; at least {_MIN_SECRET_BYTES} are needed")
    return key


def sign(key: bytes, signed: bytes) -> bytes:
    """The Standard Webhooks signature of `id.timestamp.body` as it stands in the header, version included."""
    return _V1.encode() + base64.b64encode(hmac.digest(key, signed, "sha256"))


def is_recent(timestamp: str, now: datetime) -> bool:
    """Tell whether a time in seconds since 1970 is within the tolerance."""
    if not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > len("9999999999"):
        return False
    return abs(now.timestamp() - int(timestamp)) <= TOLERANCE_SECONDS


def hex_digest(key: bytes, signed: bytes) -> bytes:
    """HMAC-SHA256 in lower-case hex."""
    return hmac.digest(key, signed, "sha256").hex().encode()


def base64_digest(key: bytes, signed: bytes) -> bytes:
    """HMAC-SHA256 in base64."""
    return base64.b64encode(hmac.digest(key, signed, "sha256"))


def _plain_key(secret: str) -> bytes:
    if not secret:
        raise ValueError("a secret is empty")
    return secret.encode()


def _is_signed(key: Ed25519PublicKey, signature: bytes, signed: bytes) -> bool:
    try:
        key.verify(signature, signed)
    except InvalidSignature:
        return False
    return True


STANDARD_WEBHOOKS: Final[Scheme] = StandardWebhooks()
META: Final[Scheme] = HmacScheme(
    "Meta X-Hub-Signature-256",
    "x-hub-signature-256",
    lambda key, _, body: [b"sha256=" + hex_digest(key, body)],
)
X: Final[Scheme] = HmacScheme(
    "X webhook signature",
    "x-twitter-webhooks-signature",
    lambda key, _, body: [b"sha256=" + base64_digest(key, body)],
)
SLACK: Final[Scheme] = HmacScheme(
    "Slack v0",
    "x-slack-signature",
    lambda key, timestamp, body: [b"v0=" + hex_digest(key, b"v0:" + timestamp.encode() + b":" + body)],
    timestamp_header="x-slack-request-timestamp",
)
DISCORD: Final[Scheme] = DiscordEd25519()
TELEGRAM: Final[Scheme] = HmacScheme(
    "Telegram secret token", "x-telegram-bot-api-secret-token", lambda key, _, __: [key]
)
DISCOURSE: Final[Scheme] = HmacScheme(
    "Discourse X-Discourse-Event-Signature",
    "x-discourse-event-signature",
    lambda key, _, body: [b"sha256=" + hex_digest(key, body)],
)
LINKEDIN: Final[Scheme] = HmacScheme(
    # Sources disagree whether the prefix stands in the header or is signed: both are its owner's alone.
    "LinkedIn X-LI-Signature",
    "x-li-signature",
    lambda key, _, body: [
        hex_digest(key, body),
        b"hmacsha256=" + hex_digest(key, body),
        hex_digest(key, b"hmacsha256=" + body),
    ],
)
BEARER: Final[Scheme] = HmacScheme("bearer token", "authorization", lambda key, _, __: [b"Bearer " + key])
