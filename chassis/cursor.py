"""Opaque tokens that say where a reader stands: signed, and bound to one purpose and one filter."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from typing import Annotated

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from chassis.api_errors import ApiError, ChassisReason, invalid_argument

_VERSION = b"\x01"
_MAC_BYTES = 32
_MINIMUM_KEY_BYTES = 32
_MAXIMUM_TOKEN_BYTES = 4096


class CursorSettings(BaseSettings):
    """Keys of the signatures: base64, comma separated; the first signs, every one verifies."""

    model_config = SettingsConfigDict(populate_by_name=True)

    keys: Annotated[tuple[SecretStr, ...], NoDecode] = Field(validation_alias="CURSOR_KEYS", min_length=1)

    @field_validator("keys", mode="before")
    @classmethod
    def _split(cls, given: object) -> object:
        return [part.strip() for part in given.split(",")] if isinstance(given, str) else given

    @field_validator("keys")
    @classmethod
    def _strong(cls, keys: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        for key in keys:
            _decode_key(key)
        return keys

    def key_bytes(self) -> list[bytes]:
        """The keys as bytes, the signing one first."""
        return [_decode_key(key) for key in self.keys]


class CursorCodec:
    """Seals a position into a token and opens it again.

    Tokens are signed (HMAC-SHA256), not encrypted: the payload holds positions, never people's text.
    """

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys or any(len(key) < _MINIMUM_KEY_BYTES for key in keys):
            message = f"Cursor keys hold at least {_MINIMUM_KEY_BYTES} bytes each, and there is at least one."
            raise ValueError(message)
        self._keys = tuple(keys)

    def seal(self, purpose: str, binding: bytes, payload: bytes) -> bytes:
        """`payload` as a token that opens only for the same `purpose` and `binding`."""
        return _VERSION + _mac(self._keys[0], purpose, binding, payload) + payload

    def open(self, purpose: str, binding: bytes, token: bytes) -> bytes:
        """The payload of `token`; ApiError INVALID_ARGUMENT, reason CURSOR_INVALID, for any other token."""
        return self._open(purpose, binding, token, _cursor_invalid())

    def seal_page_token(self, purpose: str, binding: bytes, payload: bytes) -> str:
        """`seal` as URL-safe text, for `next_page_token`."""
        return base64.urlsafe_b64encode(self.seal(purpose, binding, payload)).decode().rstrip("=")

    def open_page_token(self, purpose: str, binding: bytes, token: str) -> bytes:
        """The payload of `token`; ApiError INVALID_ARGUMENT, reason PAGE_TOKEN_INVALID, for any other token."""
        try:
            padded = token.encode("ascii") + b"=" * (-len(token) % 4)
            sealed = base64.b64decode(padded, altchars=b"-_", validate=True)
        except (UnicodeEncodeError, binascii.Error):
            raise _page_token_invalid() from None
        return self._open(purpose, binding, sealed, _page_token_invalid())

    def _open(self, purpose: str, binding: bytes, token: bytes, invalid: ApiError) -> bytes:
        mac, payload = token[1 : 1 + _MAC_BYTES], token[1 + _MAC_BYTES :]
        if token[:1] != _VERSION or len(mac) != _MAC_BYTES or len(token) > _MAXIMUM_TOKEN_BYTES:
            raise invalid
        if not any(hmac.compare_digest(mac, _mac(key, purpose, binding, payload)) for key in self._keys):
            raise invalid
        return payload


def binding_of(*parts: str) -> bytes:
    """One hash of everything that a token depends on: tenant first, then each filter in a fixed order."""
    return hashlib.sha256(b"".join(_framed(part.encode()) for part in parts)).digest()


def _mac(key: bytes, purpose: str, binding: bytes, payload: bytes) -> bytes:
    parts = (purpose.encode(), binding, payload)
    return hmac.digest(key, _VERSION + b"".join(_framed(part) for part in parts), "sha256")


def _framed(part: bytes) -> bytes:
    """Length before content, so that no two lists of parts give the same bytes."""
    return len(part).to_bytes(4, "big") + part


def _decode_key(key: SecretStr) -> bytes:
    try:
        decoded = base64.b64decode(key.get_secret_value(), validate=True)
    except (binascii.Error, ValueError):
        decoded = b""
    if len(decoded) < _MINIMUM_KEY_BYTES:
        message = f"each key is base64 of at least {_MINIMUM_KEY_BYTES} random bytes (openssl rand -base64 32)"
        raise ValueError(message)
    return decoded


def _cursor_invalid() -> ApiError:
    return invalid_argument(
        "cursor",
        "is not a cursor of this stream and filter; start again without one",
        ChassisReason.CURSOR_INVALID,
    )


def _page_token_invalid() -> ApiError:
    return invalid_argument(
        "page_token",
        "is not a page token of this list and filter; start again without one",
        ChassisReason.PAGE_TOKEN_INVALID,
    )
