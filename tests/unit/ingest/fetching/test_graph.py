"""What the Graph API of Meta says of failures and quotas, and to where its lists are read back."""

import json

import httpx
import pytest

from chassis.outbound import Answer
from services.ingest.fetching.api import Said
from services.ingest.fetching.coverage import Reason
from services.ingest.fetching.networks._graph import judge

AUTH, LIMIT, GONE = Reason.AUTH_FAILED, Reason.RATE_LIMITED, Reason.CLOSED


def answer(status: int, body: object, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, httpx.Headers(named), json.dumps(body).encode(), "https://graph.example")


@pytest.mark.parametrize(
    ("code", "subcode", "failure"),
    [
        (190, 463, AUTH),
        (10, None, AUTH),
        (230, None, AUTH),
        (4, None, LIMIT),
        (80001, None, LIMIT),
        (100, 33, GONE),
        (803, None, GONE),
        (100, None, None),
        (2, None, None),
        (None, None, None),
    ],
)
def test_the_code_of_an_error_says_why_nothing_came(
    code: int | None, subcode: int | None, failure: Reason | None
) -> None:
    assert judge(answer(400, {"error": {"code": code, "error_subcode": subcode}})) == Said(failure)


def test_what_looks_like_an_error_in_an_answer_is_none() -> None:
    assert judge(answer(200, {"error": {"code": 190}})) == Said()


@pytest.mark.parametrize(
    ("usage", "seconds"),
    [
        ({"call_count": 28, "total_time": 25, "total_cputime": 25}, None),
        ({"call_count": 28, "total_time": 96}, 300.0),
        ({"1": [{"call_count": 100, "estimated_time_to_regain_access": 4}]}, 240.0),
        ({"1": [{"call_count": 3}], "2": [{"call_count": 3}, {"total_cputime": 100}]}, 300.0),
        ([], None),
        ("?", None),
    ],
)
def test_a_quota_is_read_in_either_of_its_headers(usage: object, seconds: float | None) -> None:
    header = json.dumps(usage)
    app, business = answer(200, {}, x_app_usage=header), answer(200, {}, x_business_use_case_usage=header)
    assert [judge(app), judge(business)] == [Said(None, seconds)] * 2
