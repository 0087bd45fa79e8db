"""Answers as an outbound Standard Webhook: signed, with the reply id as `webhook-id`, so that receivers can dedupe."""

import asyncio
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

import httpx
from standardwebhooks import Webhook

from chassis.clock import Clock
from chassis.outbound.body import read_body
from contracts.identity import conversation_name, reply_name
from contracts.integrations import IntegrationsError, WebhookReply, resolve_secret
from services.responder.channels.outcomes import Arrived, NotArrived, Outcome, Unknown
from services.responder.reply import Reply

EVENT_TYPE: Final = "reply.approved"
_MAX_ANSWER_BYTES: Final = 64 * 1024
_MAX_ANSWER_SECONDS: Final = 5.0
"""How long the body of an answer is read; its status has told by then."""
_PACKED: Final = {"accept-encoding": "gzip"}
_LOOPBACK: Final = frozenset({"127.0.0.1", "::1", "localhost"})
_NOT_SENT: Final = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.UnsupportedProtocol)
"""Raised before the first byte of a request left: nothing can have arrived."""
_OK: Final = range(200, 300)
_CLEAR_NO: Final = range(300, 500)
_LATER: Final = frozenset({425, 429, 503})
"""Clear answers that ask for another try."""
_NEVER: Final = frozenset({501, 505})
_UNCLEAR: Final = frozenset({408, 409})
"""May be said of a request that was acted upon."""


def judge(status: int) -> Outcome:
    """What an HTTP status says about the text; a 2xx arrived under an id that its body may tell."""
    if status in _OK:
        return Arrived("")
    if status in _LATER:
        return NotArrived(f"HTTP_{status}")
    if status in _NEVER or (status in _CLEAR_NO and status not in _UNCLEAR):
        return NotArrived(f"HTTP_{status}", retryable=False)
    return Unknown(f"HTTP_{status}")


def check_url(integration: str, key: str, url: str, profile: str) -> None:
    """Refuse a URL that would carry answers in the clear; raises `IntegrationsError`."""
    parts = urlsplit(url)
    local = profile == "local" and parts.scheme == "http" and parts.hostname in _LOOPBACK
    if parts.scheme != "https" and not local:
        raise IntegrationsError(f"{integration}: {key}: must be https (http on loopback with ASCOLTO_PROFILE=local)")


class WebhookChannel:
    """One receiver; `http` is shared, and its timeouts bound each call."""

    def __init__(self, config: WebhookReply, http: httpx.AsyncClient, clock: Clock) -> None:
        self._url = str(config.url)
        self._lookup_url = str(config.lookup_url).rstrip("/") if config.lookup_url else None
        self._webhook = Webhook(resolve_secret(config.secret))
        self._http = http
        self._clock = clock

    async def send(self, reply: Reply) -> Outcome:
        """POST the text; a clear answer is believed, silence is `Unknown`."""
        body = payload(reply, self._clock())
        headers = {"content-type": "application/json", **self._signed(reply.reply_id, body)}
        return await self._ask("POST", self._url, headers, body, reply.reply_id)

    def can_look_up(self) -> bool:
        """Whether the receiver says what it has."""
        return self._lookup_url is not None

    async def look_up(self, reply_id: UUID) -> Outcome:
        """GET what the receiver has under the id: 200 with its native id, or 404 for nothing."""
        if self._lookup_url is None:
            return Unknown("LOOKUP_UNAVAILABLE")
        headers = self._signed(reply_id, "")
        outcome = await self._ask("GET", f"{self._lookup_url}/{reply_id}", headers, None, reply_id)
        if isinstance(outcome, NotArrived):
            return NotArrived("NOT_ARRIVED") if outcome.code == "HTTP_404" else Unknown(f"LOOKUP_{outcome.code}")
        return outcome

    async def _ask(
        self, method: str, url: str, headers: Mapping[str, str], body: str | None, reply_id: UUID
    ) -> Outcome:
        try:
            async with self._http.stream(method, url, headers={**_PACKED, **headers}, content=body) as response:
                outcome = judge(response.status_code)
                if isinstance(outcome, Arrived):
                    return Arrived(await _native_id(response) or str(reply_id))
                return outcome
        except _NOT_SENT as error:
            return NotArrived(_code(error))
        except (httpx.HTTPError, TimeoutError) as error:
            return Unknown(_code(error))

    def _signed(self, reply_id: UUID, body: str) -> dict[str, str]:
        now = self._clock()
        return {
            "webhook-id": str(reply_id),
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": self._webhook.sign(str(reply_id), now, body),
        }


def payload(reply: Reply, now: datetime) -> str:
    """The body of the webhook: what to say where, and nothing about who approved it."""
    target = reply.target
    return json.dumps(
        {
            "type": EVENT_TYPE,
            "timestamp": now.isoformat(),
            "data": {
                "reply": reply_name(reply.tenant, reply.reply_id),
                "conversation": conversation_name(reply.tenant, reply.conversation),
                "integration": target.integration,
                "network": target.network,
                "kind": target.kind.lower(),
                "native_thread_id": target.native_thread_id,
                "native_parent_id": target.native_parent_id,
                "text": reply.text,
                "language": reply.language,
            },
        },
        ensure_ascii=False,
        separators=(",", ":"),
    )


async def _native_id(response: httpx.Response) -> str | None:
    """The id in the answer's body, if it tells one; whatever is wrong with the body, the text has arrived."""
    try:
        async with asyncio.timeout(_MAX_ANSWER_SECONDS):
            body = await read_body(response, _MAX_ANSWER_BYTES)
        found = json.loads(body).get("native_id")
    except (httpx.HTTPError, TimeoutError, ValueError, AttributeError):
        return None
    return found if isinstance(found, str) and found else None


def _code(error: Exception) -> str:
    """The class of an error as an UPPER_SNAKE word: `ReadTimeout` is READ_TIMEOUT."""
    name = type(error).__name__
    return "".join(f"_{each}" if each.isupper() and at else each for at, each in enumerate(name)).upper()
