"""Captured deliveries: a request as a tool for debugging webhooks saves it, whose headers tell the network. Pure."""

from typing import Final

import msgspec

from services.ingest.connector import MALFORMED, Ignored, Reason
from services.ingest.deliveries import TELLING_HEADERS
from services.ingest.payload import Node, read_json

_BY_HEADER: Final = {
    "x-slack-signature": "slack",
    "x-twitter-webhooks-signature": "x",
    "x-signature-ed25519": "discord",
    "x-telegram-bot-api-secret-token": "telegram",
    "x-discourse-event-signature": "discourse",
    "x-li-signature": "linkedin",
    "webhook-signature": "standard_webhooks",
    "ce-specversion": "cloudevents",
}
_BY_OBJECT: Final = {"whatsapp_business_account": "whatsapp", "instagram": "instagram", "page": "facebook_page"}


def network_of(capture: Node) -> str | None:
    """The network that sent a request, by its headers; Meta signs for several, and the body says for which."""
    headers = {name.lower() for name, _ in capture["headers"].members()}
    if "x-hub-signature-256" in headers:
        body = read_json(body_of(capture)) or Node()
        return _BY_OBJECT.get(body["object"].text() or "", "threads" if body["app_id"] else None)
    return next((network for header, network in _BY_HEADER.items() if header in headers), None)


def body_of(capture: Node) -> bytes:
    """The body as it was sent, or as JSON where the capture holds it parsed."""
    body = capture["body"].value
    return body.encode("utf-8", "replace") if isinstance(body, str) else msgspec.json.encode(body)


def read_capture(content: bytes) -> tuple[str, bytes] | Ignored:
    """Answer network and body of a captured delivery, or why it holds no post."""
    capture = read_json(content)
    if capture is None or not capture.is_object():
        return MALFORMED
    if capture["type"].text() == "chat.message":
        return "web_chat", content
    if capture["request"].is_object() or not capture["headers"].is_object():
        return Ignored(Reason.NO_POST, "a handshake or a proof of a signature, which brings no post")
    network = network_of(capture)
    if network is None:
        return Ignored(Reason.NO_POST, "no header tells which network sent it")
    # Some tell in headers what happened: their connectors read the capture themselves.
    return network, content if network in TELLING_HEADERS else body_of(capture)
