"""Who delivers in the accept bench: a program by Standard Webhooks, or networks with payloads that they really send."""

import copy
import hmac
import json
import time
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, Protocol

from bench.deliveries import Hook, new_secret
from bench.http_client import request
from contracts.integrations import Integration

PAYLOADS: Final = Path(__file__).parents[3] / "shared" / "fixtures"
"""Real payloads, which lie outside this project."""
_SHARED: Final = "a secret of the accept bench"


class Sender(Protocol):
    """Makes deliveries that ingest takes, each of one post that it has not seen."""

    @property
    def integrations(self) -> Mapping[str, Integration]:
        """The accounts that it delivers for."""

    def delivery(self, host: str, serial: int) -> bytes:
        """The whole request number `serial`, signed at this moment."""


class Program:
    """One account that delivers by Standard Webhooks."""

    def __init__(self) -> None:
        self._secret = new_secret(_SHARED.encode())
        integration = Integration(
            id="bench-hook", tenant="bench", kind="webhook", network="generic", secrets=(f"plain:{self._secret}",)
        )
        self.integrations: Mapping[str, Integration] = {integration.id: integration}

    def delivery(self, host: str, serial: int) -> bytes:
        """A post in a conversation of its own."""
        [integration] = self.integrations
        return Hook(host, integration, self._secret).delivery(f"post-{serial}", serial)


Sign = Callable[[bytes], Sequence[tuple[str, str]]]


def _hmac(signed: bytes) -> bytes:
    return hmac.digest(_SHARED.encode(), signed, "sha256")


def _slack(body: bytes) -> Sequence[tuple[str, str]]:
    timestamp = str(int(time.time()))
    signature = _hmac(b"v0:" + timestamp.encode() + b":" + body).hex()
    return [("x-slack-request-timestamp", timestamp), ("x-slack-signature", f"v0={signature}")]


def _hub(body: bytes) -> Sequence[tuple[str, str]]:
    return [("x-hub-signature-256", f"sha256={_hmac(body).hex()}")]


def _x(body: bytes) -> Sequence[tuple[str, str]]:
    return [("x-twitter-webhooks-signature", f"sha256={b64encode(_hmac(body)).decode()}")]


def _telegram(_: bytes) -> Sequence[tuple[str, str]]:
    return [("x-telegram-bot-api-secret-token", _SHARED)]


@dataclass(frozen=True)
class Form:
    """A real payload of a network, and how each delivery of it becomes another post."""

    network: str
    file: str
    places: Sequence[tuple[str | int, ...]]
    """Where the post's id stands."""
    new_id: Callable[[int], Any]
    sign: Sign

    @cached_property
    def template(self) -> Any:  # noqa: ANN401 - JSON
        """The payload, parsed."""
        return json.loads((PAYLOADS / self.network / self.file).read_bytes())

    def body(self, serial: int) -> bytes:
        """The payload with an id of its own."""
        document, name = copy.deepcopy(self.template), self.new_id(serial)
        for *path, last in self.places:
            place = document
            for step in path:
                place = place[step]
            place[last] = name
        return json.dumps(document).encode()


_PAYLOAD: Final = ("data", "payload")
FORMS: Final = (
    Form("telegram", "message.json", [("message", "message_id")], lambda serial: serial, _telegram),
    Form("slack", "message_channel.json", [("event", "ts")], lambda serial: f"{1_600_000_000 + serial}.000100", _slack),
    Form(
        "whatsapp",
        "text.json",
        [("entry", 0, "changes", 0, "value", "messages", 0, "id")],
        lambda serial: f"wamid.{serial}",
        _hub,
    ),
    Form(
        "facebook_page",
        "feed_comment_add.json",
        [("entry", 0, "changes", 0, "value", "comment_id")],
        lambda serial: f"901097836652708_{serial}",
        _hub,
    ),
    Form(
        "x",
        "xaa_post_mention_create.json",
        [(*_PAYLOAD, "id"), (*_PAYLOAD, "edit_history_tweet_ids", 0), (*_PAYLOAD, "conversation_id")],
        lambda serial: str(2_000_000_000_000_000_000 + serial),
        _x,
    ),
)


class Networks:
    """One account of each of several networks, in turns."""

    def __init__(self) -> None:
        self.integrations: Mapping[str, Integration] = {
            name: Integration(
                id=name, tenant="bench", kind="webhook", network=form.network, secrets=(f"plain:{_SHARED}",)
            )
            for form in FORMS
            for name in [_integration(form)]
        }

    def delivery(self, host: str, serial: int) -> bytes:
        """The payload of the network whose turn it is."""
        form = FORMS[serial % len(FORMS)]
        body = form.body(serial)
        headers = [("content-type", "application/json"), *form.sign(body)]
        return request(host, f"/v1/hooks/{_integration(form)}", headers, body)


def _integration(form: Form) -> str:
    return f"bench-{form.network.replace('_', '-')}"


SENDERS: Final[Mapping[str, Callable[[], Sender]]] = {"program": Program, "networks": Networks}
