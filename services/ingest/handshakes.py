"""What networks ask of an address before they deliver to it, and the answers that they want to hear. Pure.

Sources: the webhook documentation of X (challenge-response check), Meta (hub.challenge), LinkedIn (challengeCode),
Slack (url_verification), Discord (PING) and Discourse (ping).
"""

import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import msgspec

from services.ingest.payload import Node, read_json
from services.ingest.verification import (
    DISCORD,
    DISCOURSE,
    LINKEDIN,
    META,
    SLACK,
    Scheme,
    X,
    base64_digest,
    hex_digest,
)

JSON: Final = "application/json"
TEXT: Final = "text/plain; charset=utf-8"

_CHALLENGE: Final = re.compile(r"[A-Za-z0-9._~+/=-]{1,512}")
"""What we sign or repeat for anybody who asks. X and LinkedIn sign deliveries with the same key and in the same way as
these answers: whoever could have a JSON document signed could forge a delivery."""
_MAX_ECHO: Final = 512

Query = Mapping[str, str]


class Answer(NamedTuple):
    """What an address says to a network's question."""

    status: int
    body: bytes = b""
    media_type: str | None = None


@dataclass(frozen=True, slots=True)
class Keys:
    """What the answers to questions are made with; the first of `secrets` is the newest."""

    secrets: Sequence[str] = field(default=(), repr=False)
    verify_token: str = field(default="", repr=False)


def is_question(query: Query) -> bool:
    """Tell whether a GET is a question of some network at all."""
    return not query.keys().isdisjoint({"crc_token", "hub.mode", "hub.challenge", "challengeCode"})


def answer_question(scheme: Scheme | None, query: Query, keys: Keys) -> Answer | None:
    """Answer a GET of a network that signs by `scheme`; None where the one who asks is not it."""
    answer = _QUESTIONS.get(scheme) if scheme else None
    return answer(query, keys) if answer else None


def answer_greeting(scheme: Scheme, body: bytes) -> Answer | None:
    """Answer a delivery, whose signature was verified, that brings no posts but a question; None for any other."""
    answer = _GREETINGS.get(scheme)
    document = read_json(body) if answer else None
    return answer(document) if answer and document is not None and document.is_object() else None


def wants_silence(scheme: Scheme) -> bool:
    """Tell whether the network takes nothing but 204 without a body for an answer."""
    return scheme is DISCORD


def _x(query: Query, keys: Keys) -> Answer | None:
    token = query.get("crc_token", "")
    if not _CHALLENGE.fullmatch(token) or not keys.secrets:
        return None
    signed = base64_digest(keys.secrets[0].encode(), token.encode()).decode()
    return _json({"response_token": f"sha256={signed}"})


def _linkedin(query: Query, keys: Keys) -> Answer | None:
    code = query.get("challengeCode", "")
    if not _CHALLENGE.fullmatch(code) or not keys.secrets:
        return None
    signed = hex_digest(keys.secrets[0].encode(), code.encode()).decode()
    return _json({"challengeCode": code, "challengeResponse": signed})


def _meta(query: Query, keys: Keys) -> Answer | None:
    given = query.get("hub.verify_token", "").encode("utf-8", "replace")
    known = hmac.compare_digest(given, keys.verify_token.encode()) and bool(keys.verify_token)
    challenge = query.get("hub.challenge", "")
    if not known or query.get("hub.mode") != "subscribe" or not _CHALLENGE.fullmatch(challenge):
        return None
    return Answer(200, challenge.encode(), TEXT)


def _slack(body: Node) -> Answer | None:
    challenge = body["challenge"].text()
    if body["type"].text() != "url_verification" or not challenge:
        return None
    return _json({"challenge": challenge[:_MAX_ECHO]})


def _discord(body: Node) -> Answer | None:
    """A PING is type 0 of webhook events, and type 1 of interactions; an event is of type 1, too, but tells `event`."""
    kind = body["type"].integer()
    if kind == 0:
        return Answer(204)
    return _json({"type": 1}) if kind == 1 and "event" not in body else None


def _discourse(body: Node) -> Answer | None:
    return Answer(200) if "ping" in body and "post" not in body else None


def _json(content: Mapping[str, object]) -> Answer:
    return Answer(200, msgspec.json.encode(content), JSON)


_QUESTIONS: Final[Mapping[Scheme, Callable[[Query, Keys], Answer | None]]] = {X: _x, META: _meta, LINKEDIN: _linkedin}
_GREETINGS: Final[Mapping[Scheme, Callable[[Node], Answer | None]]] = {
    SLACK: _slack,
    DISCORD: _discord,
    DISCOURSE: _discourse,
}
