"""Trying an integration: what its checks say, and what its payloads would become."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from contracts.integrations import Integration
from services.ingest.connector import Ignored
from services.ingest.normalizer import Accepted, Normalizer
from services.ingest.trial import MAX_TRIALS, checks, trials

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
WHSEC = "plain:whsec_" + "QUJD" * 8


def integration_of(**fields: Any) -> Integration:
    return Integration.model_validate({"id": "i", "tenant": "t", "kind": "webhook", **fields})


def failed(**fields: Any) -> set[str]:
    integration = integration_of(**fields)
    return {check.name for check in checks(integration, Normalizer(integration, bytes(32))) if not check.passed}


def tried(*payloads: bytes, **fields: Any) -> list[Accepted | Ignored]:
    integration = integration_of(**fields)
    return trials(integration, Normalizer(integration, bytes(32)), payloads, NOW)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"network": "telegram", "account": "9", "secrets": ["plain:s"]}, set()),
        ({"network": "generic", "own_authors": ["lumora"], "secrets": [WHSEC]}, set()),
        ({"network": "generic", "account": "9", "secrets": ["plain:s"]}, {"secrets"}),
        ({"network": "telegram", "secrets": ["plain:s"]}, {"account"}),
        ({"network": "facebook_page", "account": "9", "secrets": ["plain:s"]}, {"verify_token"}),
        ({"network": "facebook_page", "account": "9", "secrets": ["plain:s"], "verify_token": "plain:v"}, set()),
        ({"network": "discord", "account": "9", "secrets": ["plain:no key"]}, {"secrets"}),
        ({"network": "mastodon", "account": "9", "kind": "stream"}, set()),
        ({"network": "telegram", "account": "9", "kind": "mailbox"}, {"connector"}),
        ({"network": "no_such_network", "account": "9", "kind": "poll"}, {"connector"}),
        ({"network": "web_chat", "kind": "web_chat"}, set()),
        ({"kind": "import", "account": "9"}, set()),
    ],
)
def test_a_check_fails_where_something_is_missing(fields: dict[str, Any], expected: set[str]) -> None:
    assert failed(**fields) == expected


def test_every_check_that_fails_says_what_to_do() -> None:
    integration = integration_of(network="facebook_page", secrets=["plain:s"])
    details = [each.detail for each in checks(integration, Normalizer(integration, bytes(32))) if not each.passed]
    assert all(": " in detail for detail in details)


def update(number: int) -> dict[str, Any]:
    said = {"chat": {"id": 7, "type": "private"}, "from": {"id": 7}, "text": "Does it dim?"}
    return {"message": {"message_id": number, "date": 1795338000, **said}}


def test_the_last_items_are_shown_as_they_would_become() -> None:
    payload = json.dumps({"result": [update(number) for number in range(30)]}).encode()
    shown = tried(payload, b'{"poll": {}}', network="telegram", secrets=["plain:s"])
    assert len(shown) == MAX_TRIALS
    assert isinstance(shown[0], Accepted)
    assert shown[0].event.message.post.native_id == "7:11"
    assert isinstance(shown[-1], Ignored)


@pytest.mark.parametrize(
    ("fields", "payload", "ignored"),
    [
        ({"kind": "import"}, b'{"network": "x", "kind": "chat"}\n', "INVALID"),
        ({"kind": "import"}, b"", "MALFORMED"),
        ({"network": "generic", "secrets": [WHSEC]}, b'{"type": "post.created", "data": {}}', "INVALID"),
        ({"network": "mastodon", "kind": "stream"}, b"[", "MALFORMED"),
    ],
)
def test_what_becomes_no_post_says_why(fields: dict[str, Any], payload: bytes, ignored: str) -> None:
    (outcome,) = tried(payload, **fields)
    assert isinstance(outcome, Ignored)
    assert outcome.reason.name == ignored
