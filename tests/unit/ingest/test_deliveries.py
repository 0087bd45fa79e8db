"""What a verified delivery becomes: the posts, what is counted and passed over, and what is refused."""

import json
from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest

from contracts.integrations import Integration, IntegrationsError
from services.ingest.connector import Account, Reason
from services.ingest.deliveries import read_delivery, with_telling_headers
from services.ingest.handshakes import Keys
from services.ingest.refusals import Problem, Refused
from services.ingest.sources import Hook, build_sources
from services.ingest.verification import BEARER, STANDARD_WEBHOOKS, TELEGRAM

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
KEY = bytes(32)
TOKEN = "plain:our secret token"
WHSEC = "plain:whsec_" + "QUJD" * 8


def hook_of(network: str, secret: str = TOKEN, **fields: Any) -> Hook:
    integration = Integration(id="i", tenant="t", kind="webhook", network=network, secrets=(secret,), **fields)
    return build_sources({"i": integration}, KEY).hooks["i"]


def message(number: int, **fields: Any) -> dict[str, Any]:
    said = {"chat": {"id": 7, "type": "private"}, "from": {"id": 7, "first_name": "Ann"}, "text": "Does it dim?"}
    return {"message_id": number, "date": 1795338000, **said, **fields}


def telegram(*updates: dict[str, Any]) -> bytes:
    return json.dumps({"ok": True, "result": updates}).encode()


def test_the_network_names_the_connector_and_how_it_signs() -> None:
    hook = hook_of("telegram", account="99", url="https://bots.example/lumora", verify_token="plain:v")
    assert hook.connector is not None
    assert (hook.connector.network, hook.scheme) == ("telegram", TELEGRAM)
    assert hook.account == Account("99", "https://bots.example/lumora")
    assert hook.keys == Keys(["our secret token"], "v")
    assert "our secret token" not in repr(hook)


@pytest.mark.parametrize("network", ["generic", "standard_webhooks", "a_network_of_your_own"])
def test_posts_of_programs_come_as_standard_webhooks(network: str) -> None:
    hook = hook_of(network, WHSEC)
    assert (hook.connector, hook.scheme) == (None, STANDARD_WEBHOOKS)
    post = {"kind": "chat", "native_id": "1", "author": {"id": "a"}, "text": "Hello"}
    delivery = read_delivery(hook, {}, json.dumps({"type": "post.created", "data": post}).encode(), received_at=NOW)
    assert [each.event.message.post.network for each in delivery.accepted] == [network]


def test_a_secret_that_the_network_cannot_use_is_named_by_its_integration() -> None:
    with pytest.raises(IntegrationsError, match="integration i: secrets: the webhook secret is not base64"):
        hook_of("generic", "plain:no base64")


def test_posts_are_accepted_beside_what_is_ignored() -> None:
    body = telegram(
        {"message": message(1)},
        {"message": message(2, text=None)},
        {"poll_answer": {}},
        {"edited_message": message(1, edit_date=1795338060)},
    )
    delivery = read_delivery(hook_of("telegram"), {}, body, received_at=NOW)
    assert [(each.event.message.post.native_id, each.change) for each in delivery.accepted] == [
        ("7:1", "created"),
        ("7:1", "edited"),
    ]
    assert delivery.ignored == Counter({Reason.NO_CONTENT: 1, Reason.NO_POST: 1})


def test_a_post_that_cannot_be_kept_is_counted_and_the_others_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("services.ingest.normalizer.MAX_POST_BYTES", 400)
    body = telegram({"message": message(2, text="long " * 100)}, {"message": message(3)})
    delivery = read_delivery(hook_of("telegram"), {}, body, received_at=NOW)
    assert [each.event.message.post.native_id for each in delivery.accepted] == ["7:3"]
    assert delivery.ignored == Counter({Reason.INVALID: 1})


def test_a_relay_of_a_network_that_signs_nothing_shows_a_token() -> None:
    hook = hook_of("trustpilot")
    assert hook.connector is not None
    assert hook.scheme is BEARER


@pytest.mark.parametrize("body", [b"", b"no json", b'"text"', b"\xff"])
def test_bytes_of_no_form_of_the_network_are_refused(body: bytes) -> None:
    with pytest.raises(Refused) as caught:
        read_delivery(hook_of("telegram"), {}, body, received_at=NOW)
    assert (caught.value.problem, caught.value.integration) == (Problem.FIELD_INVALID, "i")
    assert "Telegram" in caught.value.errors[0].description


def test_headers_that_tell_what_happened_are_handed_on() -> None:
    headers = {"ce-id": "1", "ce-type": "t", "content-type": "application/json", "cookie": "c", "ce-specversion": "1.0"}
    handed = json.loads(with_telling_headers("cloudevents", headers, b'{"a": 1}'))
    assert handed["body"] == {"a": 1}
    assert handed["headers"].keys() == {"ce-id", "ce-type", "ce-specversion"}
    assert json.loads(with_telling_headers("cloudevents", headers, b"\xff<a>"))["body"] == "\ufffd<a>"


@pytest.mark.parametrize("network", ["telegram", "slack", "discourse"])
def test_a_body_that_tells_all_is_handed_on_as_it_came(network: str) -> None:
    assert with_telling_headers(network, {"content-type": "application/json", "host": "h"}, b' {"a":1}') == b' {"a":1}'
