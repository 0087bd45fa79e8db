"""What networks ask before they deliver: published and own known answers, and what must not be answered."""

import hashlib
import hmac
import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.ingest.handshakes import Answer, Keys, answer_greeting, answer_question, is_question, wants_silence
from services.ingest.verification import DISCORD, DISCOURSE, LINKEDIN, META, SLACK, TELEGRAM, Scheme, X

FIXTURES = Path(__file__).parents[4] / "shared" / "fixtures"
KEYS = Keys(secrets=["newest", "older"], verify_token="our token")
SCHEMES = (X, META, LINKEDIN, SLACK, DISCORD, DISCOURSE, TELEGRAM)


def known_answer(name: str) -> dict[str, Any]:
    path = FIXTURES / name
    if not path.exists():
        pytest.skip(f"the known answers are not on this machine ({path})")
    known: dict[str, Any] = json.loads(path.read_text())
    return known


def test_the_published_answer_to_the_crc_of_x() -> None:
    known = known_answer("signatures/x_crc_kat.json")
    query = dict(parse_qsl(known["request"]["query"]))
    answer = answer_question(X, query, Keys(secrets=[known["secret"]]))
    assert answer is not None
    assert (answer.status, json.loads(answer.body)) == (200, known["response"])


def test_the_answer_to_the_crc_has_the_published_shape() -> None:
    known = known_answer("signatures/x_crc_docs_example_unverifiable.json")
    answer = answer_question(X, dict(parse_qsl(known["request"]["query"])), KEYS)
    assert answer is not None
    assert json.loads(answer.body).keys() == known["response"].keys()
    assert len(json.loads(answer.body)["response_token"]) == len(known["response"]["response_token"])


def test_the_known_answer_to_the_handshake_of_meta() -> None:
    known = known_answer("handmade/meta_verify_handshake.json")
    query = dict(parse_qsl(known["request"]["query"]))
    answer = answer_question(META, query, Keys(secrets=["s"], verify_token=known["verify_token"]))
    assert answer is not None
    assert (answer.status, answer.body.decode()) == (known["response"]["status"], known["response"]["body"])
    assert str(answer.media_type).startswith("text/plain")


def test_the_known_answer_to_the_ping_of_discord() -> None:
    known = known_answer("handmade/discord_webhook_event_ping_signed.json")
    answer = answer_greeting(DISCORD, known["body"].encode())
    assert answer == Answer(known["expected_response"]["status"], known["expected_response"]["body"].encode())


def test_the_published_challenge_of_slack_is_repeated() -> None:
    known = known_answer("slack/url_verification.json")
    answer = answer_greeting(SLACK, json.dumps(known).encode())
    assert answer is not None
    assert json.loads(answer.body) == {"challenge": known["challenge"]}


def test_linkedin_is_told_the_hex_hmac_of_its_code_by_the_newest_secret() -> None:
    code = "890e4665-4dfe-4ab1-b689-ed553bceeed0"
    answer = answer_question(LINKEDIN, {"challengeCode": code}, KEYS)
    assert answer is not None
    expected = hmac.digest(b"newest", code.encode(), hashlib.sha256).hex()
    assert json.loads(answer.body) == {"challengeCode": code, "challengeResponse": expected}


def test_an_interaction_of_discord_is_ponged_and_an_event_is_not() -> None:
    assert answer_greeting(DISCORD, b'{"type": 1, "id": "7", "token": "t"}') == Answer(
        200, b'{"type":1}', "application/json"
    )
    assert answer_greeting(DISCORD, b'{"version": 1, "type": 1, "event": {"type": "ENTITLEMENT_CREATE"}}') is None


def test_the_ping_of_discourse_is_answered_and_a_post_is_not() -> None:
    assert answer_greeting(DISCOURSE, b'{"ping": "OK"}') == Answer(200)
    assert answer_greeting(DISCOURSE, b'{"post": {"id": 1, "raw": "ping"}}') is None


def test_discord_alone_wants_silence() -> None:
    assert [scheme for scheme in SCHEMES if wants_silence(scheme)] == [DISCORD]


@pytest.mark.parametrize(
    "query",
    [
        {"hub.mode": "subscribe", "hub.verify_token": "our tokem", "hub.challenge": "42"},
        {"hub.mode": "subscribe", "hub.verify_token": "", "hub.challenge": "42"},
        {"hub.mode": "subscribe", "hub.challenge": "42"},
        {"hub.mode": "unsubscribe", "hub.verify_token": "our token", "hub.challenge": "42"},
        {"hub.mode": "subscribe", "hub.verify_token": "our token"},
        {"hub.mode": "subscribe", "hub.verify_token": "our token", "hub.challenge": "<script>"},
        {"hub.mode": "subscribe", "hub.verify_token": "our token", "hub.challenge": "4" * 513},
        {"crc_token": "foo"},
    ],
)
def test_meta_is_not_answered_without_our_token(query: dict[str, str]) -> None:
    assert answer_question(META, query, KEYS) is None


def test_an_integration_without_a_verify_token_knows_nobody() -> None:
    query = {"hub.mode": "subscribe", "hub.verify_token": "", "hub.challenge": "42"}
    assert answer_question(META, query, Keys(secrets=["s"])) is None


@pytest.mark.parametrize(("scheme", "parameter"), [(X, "crc_token"), (LINKEDIN, "challengeCode")])
@pytest.mark.parametrize("forged", ['{"for_user_id":"1"}', "[]", '"', "", "a b", "a" * 513, "é", "x\n"])
def test_nobody_gets_a_delivery_signed_by_asking(scheme: Scheme, parameter: str, forged: str) -> None:
    assert answer_question(scheme, {parameter: forged}, KEYS) is None


@given(token=st.text('0123456789[]{}",:abc=/+', min_size=1))
def test_what_is_signed_for_anybody_is_no_delivery(token: str) -> None:
    signed = answer_question(X, {"crc_token": token}, KEYS)
    assert signed is None or not set(token) & set('{}[]"')


def test_only_what_asks_is_a_question() -> None:
    assert is_question({"crc_token": ""})
    assert is_question({"hub.challenge": "42"})
    assert is_question({"challengeCode": "42"})
    assert not is_question({"token": "42"})


@given(
    query=st.dictionaries(
        st.sampled_from(["crc_token", "hub.mode", "hub.verify_token", "hub.challenge", "challengeCode"]), st.text()
    )
)
def test_no_question_raises(query: dict[str, str]) -> None:
    for scheme in SCHEMES:
        answer = answer_question(scheme, query, KEYS)
        assert answer is None or answer.status == 200


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
GREETING = st.dictionaries(st.sampled_from(["type", "challenge", "ping", "event"]), JSON)


@given(body=st.binary() | (JSON | GREETING).map(lambda each: json.dumps(each).encode()))
def test_no_greeting_raises(body: bytes) -> None:
    for scheme in SCHEMES:
        answer = answer_greeting(scheme, body)
        assert answer is None or answer.status in {200, 204}
