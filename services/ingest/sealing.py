"""Secrets at rest: sealed with AES-256-GCM under a key that the database never sees, and bound to their place."""

import base64
import binascii
import hashlib
import os
from collections.abc import Sequence
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES: Final = 32

_VERSION: Final = b"\x01"
_KEY_ID_BYTES: Final = 4
_NONCE_BYTES: Final = 12
_HEAD: Final = len(_VERSION) + _KEY_ID_BYTES


class SealBroken(Exception):  # noqa: N818 - named after the state
    """What was sealed does not open: by another key, for another place, or damaged. The message tells what to do."""


class Keyring:
    """The keys of INTEGRATIONS_KEY: the first seals, every one opens."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        if any(len(key) != KEY_BYTES for key in keys):
            raise ValueError(f"a key holds {KEY_BYTES} bytes")
        self._keys = {_key_id(key): AESGCM(key) for key in reversed(keys)}
        self._newest = _key_id(keys[0]) if keys else b""

    def __bool__(self) -> bool:
        """Whether there is a key at all: without one nothing is sealed."""
        return bool(self._keys)

    def seal(self, plain: str, *place: str) -> bytes:
        """Seal a secret for one place, such as tenant, integration and purpose; the same twice looks different."""
        head, nonce = _VERSION + self._newest, os.urandom(_NONCE_BYTES)
        return head + nonce + self._keys[self._newest].encrypt(nonce, plain.encode(), _bound(head, place))

    def open(self, sealed: bytes, *place: str) -> str:
        """Open what was sealed for this place; raises `SealBroken`."""
        key = self._keys.get(sealed[len(_VERSION) : _HEAD])
        if sealed[: len(_VERSION)] != _VERSION or key is None:
            raise SealBroken("it was sealed with a key that is not here: put that key back behind the first one")
        nonce, ciphertext = sealed[_HEAD : _HEAD + _NONCE_BYTES], sealed[_HEAD + _NONCE_BYTES :]
        try:
            return key.decrypt(nonce, ciphertext, _bound(sealed[:_HEAD], place)).decode()
        except (InvalidTag, ValueError):
            raise SealBroken("it was changed, or moved from another integration: rotate the secret") from None

    def is_newest(self, sealed: bytes) -> bool:
        """Tell whether the first key sealed it; whatever an older one sealed is to be sealed anew."""
        return sealed[:_HEAD] == _VERSION + self._newest


def read_keys(text: str) -> list[bytes]:
    """Read keys in base64, apart by commas or white space; ValueError says what is wrong without showing one."""
    return [_read_key(word) for word in text.replace(",", " ").split()]


def _read_key(word: str) -> bytes:
    try:
        key = base64.b64decode(word, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("a key is not base64 (openssl rand -base64 32 makes one)") from None
    if len(key) != KEY_BYTES:
        raise ValueError(f"a key holds {len(key)} bytes; {KEY_BYTES} are needed (openssl rand -base64 32)")
    return key


def _key_id(key: bytes) -> bytes:
    """Which key it was, and nothing about the key."""
    return hashlib.sha256(b"ascolto integrations key id" + key).digest()[:_KEY_ID_BYTES]


def _bound(head: bytes, place: Sequence[str]) -> bytes:
    """The associated data: each part with its length, so that no two places look alike."""
    parts = [part.encode() for part in place]
    return head + b"".join(len(part).to_bytes(4, "big") + part for part in parts)
