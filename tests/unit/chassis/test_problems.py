"""Problem details as RFC 9457 has them."""

import json

import pytest

from chassis.problems import pointer, render
from services.ingest.rawpost import Invalid
from services.ingest.refusals import Problem, Refused, field_refusal


def test_a_refusal_names_its_fields() -> None:
    response = render(field_refusal([Invalid("data[1].kind", "is no kind")], integration="acme-hook"))
    body = json.loads(bytes(response.body))
    assert (response.status_code, response.media_type) == (422, "application/problem+json")
    assert body["errors"] == [{"field": "data[1].kind", "pointer": "#/data/1/kind", "detail": "is no kind"}]
    assert {"type", "title", "status", "detail", "code"} <= body.keys()


@pytest.mark.parametrize(("wait_seconds", "header"), [(0.01, "1"), (1.2, "2"), (30.0, "30")])
def test_a_sender_is_told_when_to_come_back(wait_seconds: float, header: str) -> None:
    response = render(Refused(Problem.RATE_LIMITED, "Wait.", retry_after_seconds=wait_seconds))
    assert response.headers["retry-after"] == header


@pytest.mark.parametrize(
    ("field", "expected"), [("", "#"), ("text", "#/text"), ("data[3].author.id", "#/data/3/author/id")]
)
def test_a_field_as_a_json_pointer(field: str, expected: str) -> None:
    assert pointer(field) == expected


def test_nothing_is_said_of_a_cause() -> None:
    body = json.loads(bytes(render(Refused(Problem.INTERNAL, "Try later.")).body))
    assert body == {
        "type": "urn:ascolto:problem:INTERNAL",
        "title": "Something went wrong on our side",
        "status": 500,
        "detail": "Try later.",
        "code": "INTERNAL",
    }
