"""Standard Webhooks: our own events as the network "generic", captured requests, and events of others."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from services.ingest.connector import Account, Ignored, Outcome
from services.ingest.connectors.standard_webhooks import normalize
from services.ingest.hookbody import parse_hook
from services.ingest.rawpost import RawPost
from tests.unit.ingest.connectors.specimens.standard_webhooks import event


def read(document: Any) -> list[Outcome]:
    return normalize(json.dumps(document).encode(), Account())


def test_a_post_is_the_same_as_at_the_endpoint() -> None:
    body = json.dumps(event("post.created", author={"id": "u1"}, text="Hi", media=[{"kind": "image"}])).encode()
    assert normalize(body, Account()) == parse_hook(body, "generic")


@pytest.mark.parametrize("written", [json.dumps, dict])
def test_a_captured_request_is_unwrapped(written: Callable[[dict[str, Any]], object]) -> None:
    body = event("post.created", author={"id": "u1"}, text="Hi")
    [found] = read({"headers": {"webhook-id": "m1"}, "body": written(body)})
    assert isinstance(found, RawPost)
    assert (found.network, found.text) == ("generic", "Hi")


def test_one_event_may_bring_several_posts() -> None:
    one, two = event("x", native_id="1"), event("x", native_id="2")
    found = read({"type": "post.deleted", "data": [one["data"], two["data"]]})
    assert [each.native_id for each in found if isinstance(each, RawPost)] == ["1", "2"]


@pytest.mark.parametrize(
    ("document", "reason", "told"),
    [
        ({"type": "invoice.paid", "data": {"id": 1}}, "NO_POST", "invoice.paid"),
        (event("post.created", native_id=None), "INVALID", "data.native_id"),
        (event("post.created", stars=5), "INVALID", "data.stars"),
        ({"type": "post.created"}, "INVALID", "data"),
        ({"data": {}}, "MALFORMED", ""),
    ],
)
def test_what_brings_no_post_says_why(document: Any, reason: str, told: str) -> None:
    [found] = read(document)
    assert isinstance(found, Ignored)
    assert (found.reason.name, told in found.detail) == (reason, True)
