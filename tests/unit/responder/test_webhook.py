"""What an HTTP answer says about a text: arrived, surely not, or unknown; never too sure."""

import pytest

from contracts.integrations import IntegrationsError
from services.responder.channels import Arrived, NotArrived, Outcome, Unknown
from services.responder.channels.webhook import check_url, judge


@pytest.mark.parametrize(
    ("statuses", "outcome"),
    [
        ((200, 201, 202, 204), Arrived("")),
        ((301, 307, 400, 401, 403, 404, 410, 413, 422), NotArrived("", retryable=False)),
        ((425, 429, 503), NotArrived("", retryable=True)),
        ((501, 505), NotArrived("", retryable=False)),
        ((408, 409, 500, 502, 504, 520), Unknown("")),
    ],
)
def test_only_a_clear_answer_is_believed(statuses: tuple[int, ...], outcome: Outcome) -> None:
    for status in statuses:
        found = judge(status)
        assert type(found) is type(outcome)
        assert getattr(found, "retryable", None) == getattr(outcome, "retryable", None)


@pytest.mark.parametrize(
    ("url", "profile", "allowed"),
    [
        ("https://desk.example/in", "production", True),
        ("http://desk.example/in", "production", False),
        ("http://127.0.0.1:8080/in", "production", False),
        ("http://127.0.0.1:8080/in", "local", True),
        ("http://desk.example/in", "local", False),
        ("ftp://desk.example/in", "local", False),
    ],
)
def test_answers_travel_encrypted_unless_they_stay_on_this_machine(url: str, profile: str, allowed: bool) -> None:  # noqa: FBT001
    if allowed:
        check_url("acme-x", "reply.url", url, profile)
        return
    with pytest.raises(IntegrationsError, match=r"acme-x: reply\.url"):
        check_url("acme-x", "reply.url", url, profile)
