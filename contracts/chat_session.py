"""Session tokens of the web chat: ingest opens sessions, responder serves answers; both trust the token alone.

A JWT (HS256 under CHAT_SESSION_KEY) that names one session of one widget, and nothing about the visitor.
"""

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID, uuid4

import jwt

AUDIENCE: Final = "ascolto-web-chat"
LIFETIME: Final = timedelta(days=30)
MIN_KEY_BYTES: Final = 32
LOCAL_DEVELOPMENT_KEY: Final = base64.b64encode(b"local development only: web chat sessions").decode()
"""CHAT_SESSION_KEY of both services in the local profile, where it is not set."""

_ALGORITHM: Final = "HS256"


class SessionInvalid(Exception):  # noqa: N818 - named after what the caller is told
    """The token is not of our making, or has expired: open a new session."""


@dataclass(frozen=True, slots=True)
class ChatSession:
    """One conversation of one visitor with one widget."""

    integration: str
    tenant: str
    session: str
    """A UUID; the native thread id of the session's posts, so it finds the conversation."""


def read_key(encoded: str) -> bytes:
    """Read CHAT_SESSION_KEY, which is base64; ValueError says what is wrong without showing the key."""
    try:
        key = base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("it is not base64") from None
    if len(key) < MIN_KEY_BYTES:
        raise ValueError(f"it holds {len(key)} bytes; {MIN_KEY_BYTES} are needed")
    return key


def new_session(integration: str, tenant: str) -> ChatSession:
    """Open a session under an id that nobody can guess."""
    return ChatSession(integration, tenant, str(uuid4()))


def issue_session(key: bytes, session: ChatSession, *, now: datetime | None = None) -> str:
    """Make the token of a session, good for `LIFETIME`; `key` holds at least `MIN_KEY_BYTES` bytes."""
    issued_at = now or datetime.now(UTC)
    claims = {
        "aud": AUDIENCE,
        "sub": session.session,
        "integration": session.integration,
        "tenant": session.tenant,
        "iat": issued_at,
        "exp": issued_at + LIFETIME,
    }
    return jwt.encode(claims, key, algorithm=_ALGORITHM)


def verify_session(key: bytes, token: str) -> ChatSession:
    """Read the session that a token names, or raise `SessionInvalid`.

    The caller still compares `integration` with the widget that was asked.
    """
    try:
        claims = jwt.decode(
            token,
            key,
            algorithms=[_ALGORITHM],
            audience=AUDIENCE,
            options={"require": ["aud", "exp", "iat", "sub"]},
        )
        return ChatSession(
            integration=_word(claims["integration"]),
            tenant=_word(claims["tenant"]),
            session=str(UUID(claims["sub"])),
        )
    except (jwt.InvalidTokenError, KeyError, ValueError) as error:
        raise SessionInvalid("the session token is not valid or has expired") from error


def _word(claim: object) -> str:
    if not isinstance(claim, str) or not claim:
        raise ValueError("a claim of the session token is no text")
    return claim
