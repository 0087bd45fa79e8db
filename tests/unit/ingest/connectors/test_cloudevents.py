"""CloudEvents: three modes, data that exclude each other, and events that are about something else."""

import base64
import json
from typing import Any

import pytest

from services.ingest.connector import Account, Ignored, Outcome, Reason
from services.ingest.connectors.cloudevents import normalize
from services.ingest.rawpost import RawPost
from tests.unit.ingest.connectors.specimens.cloudevents import event

POST: dict[str, Any] = {"kind": "chat", "native_id": "1", "author": {"id": "u"}, "text": "Hi"}


def read(document: Any) -> list[Outcome]:
    return normalize(json.dumps(document).encode(), Account())


def only(document: Any) -> RawPost:
    [found] = read(document)
    assert isinstance(found, RawPost), found
    return found


def encoded(data: Any) -> str:
    return base64.b64encode(json.dumps(data).encode()).decode()


def envelope(kind: str = "post.created", **data: Any) -> dict[str, Any]:
    attributes = {name: value for name, value in event(kind).items() if name != "data"}
    return attributes | data


def test_a_batch_brings_every_post() -> None:
    found = read([event("post.created", **POST), event("post.deleted")])
    assert [each.change for each in found if isinstance(each, RawPost)] == ["created", "deleted"]


@pytest.mark.parametrize("data", [{"data": POST}, {"data_base64": encoded(POST)}, {"data": json.dumps(POST)}])
def test_data_may_be_plain_or_encoded(data: dict[str, Any]) -> None:
    assert only(envelope(**data)).text == "Hi"


def test_null_is_as_good_as_absent() -> None:
    assert only(envelope(data=None, data_base64=encoded(POST))).text == "Hi"


@pytest.mark.parametrize("body", [POST, json.dumps(POST)])
def test_binary_mode_has_its_attributes_in_headers(body: Any) -> None:
    headers = {"CE-Id": "1", "ce-source": "/forum%20one", "ce-specversion": "1.0", "ce-type": "post.edited"}
    headers |= {"ce-time": "2026-11-20T09:00:00Z", "Content-Type": "application/json"}
    found = only({"headers": headers, "body": body})
    assert (found.change, found.revision, found.text) == ("edited", 1795165200, "Hi")


def test_a_captured_request_may_hold_a_structured_event() -> None:
    headers = {"content-type": "application/cloudevents+json"}
    assert only({"headers": headers, "body": json.dumps(event("post.created", **POST))}).network == "cloudevents"


def test_any_type_may_bring_a_post_that_says_all_itself() -> None:
    found = only(event("com.lumora.forum", **POST, network="discourse", change="edited", revision=3))
    assert (found.network, found.change, found.revision) == ("discourse", "edited", 3)


def test_the_time_of_an_event_is_when_it_happened() -> None:
    created, edited = only(event("post.created", **POST)), only(event("post.edited", **POST))
    assert created.create_time is not None
    assert created.create_time.isoformat() == "2026-11-20T09:00:00+00:00"
    assert (edited.revision, edited.create_time) == (1795165200, None)


@pytest.mark.parametrize(
    ("document", "reason"),
    [
        (envelope(data=POST, data_base64=encoded(POST)), Reason.MALFORMED),
        ({**event("post.created"), "source": ""}, Reason.MALFORMED),
        (POST, Reason.MALFORMED),
        (envelope(data_base64="no base64!"), Reason.INVALID),
        (envelope(data_base64=base64.b64encode(b"thrift").decode()), Reason.INVALID),
        (envelope("com.lumora.order", data_base64="no base64!"), Reason.NO_POST),
        (envelope("com.lumora.order", data={"sku": "glow"}), Reason.NO_POST),
        (envelope("post.created", data={**POST, "kind": "telegram"}), Reason.INVALID),
        (envelope("post.created"), Reason.INVALID),
        (envelope("com.lumora.ping"), Reason.NO_POST),
    ],
)
def test_what_brings_no_post_says_why(document: Any, reason: Reason) -> None:
    [found] = read(document)
    assert isinstance(found, Ignored)
    assert found.reason is reason
