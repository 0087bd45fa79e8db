"""Who may deliver: every scheme, against published and own known answers, and against anything at all."""

import base64
import hashlib
import hmac
import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from services.ingest.verification import (
    BEARER,
    DISCORD,
    DISCOURSE,
    LINKEDIN,
    META,
    SLACK,
    STANDARD_WEBHOOKS,
    TELEGRAM,
    TOLERANCE_SECONDS,
    Scheme,
    Verifier,
    X,
    read_secret,
    sign,
)

INPUTS = int(os.environ.get("ASCOLTO_FUZZ", "100"))
FIXTURES = Path(__file__).parents[4] / "shared" / "fixtures"
KNOWN_ANSWERS: list[tuple[str, Scheme, str]] = [
    ("signatures/standard_webhooks_v1_kat.json", STANDARD_WEBHOOKS, "webhook-timestamp"),
    ("signatures/slack_v0_kat.json", SLACK, "x-slack-request-timestamp"),
    ("signatures/github_hub_signature_256_kat.json", META, ""),
    ("signatures/x_webhook_signature_kat.json", X, ""),
    ("handmade/meta_whatsapp_signed.json", META, ""),
    ("handmade/discord_webhook_event_ping_signed.json", DISCORD, ""),
]
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
OLD_KEY, NEW_KEY = b"o" * 32, b"n" * 32
BODY = '{"text": "perché?"}'.encode()


def verifier_of(*keys: bytes) -> Verifier:
    return STANDARD_WEBHOOKS.verifier([base64.b64encode(key).decode() for key in keys])


def signed_headers(key: bytes, body: bytes = BODY, at: datetime = NOW) -> dict[str, str]:
    timestamp = str(int(at.timestamp()))
    signature = sign(key, f"msg_1.{timestamp}.".encode() + body).decode()
    return {"webhook-id": "msg_1", "webhook-timestamp": timestamp, "webhook-signature": signature}


def known_answer(name: str) -> dict[str, Any]:
    path = FIXTURES / name
    if not path.exists():
        pytest.skip(f"the known answers are not on this machine ({path})")
    known: dict[str, Any] = json.loads(path.read_text())
    known["headers"] = {each.lower(): value for each, value in known.get("headers", {}).items()}
    return known


def sent_at(known: dict[str, Any], timestamp_header: str) -> datetime:
    return datetime.fromtimestamp(int(known["headers"][timestamp_header]), UTC) if timestamp_header else NOW


@pytest.mark.parametrize(("name", "scheme", "timestamp_header"), KNOWN_ANSWERS)
def test_a_published_known_answer_is_accepted_and_nothing_beside_it(
    name: str, scheme: Scheme, timestamp_header: str
) -> None:
    known = known_answer(name)
    verifier = scheme.verifier([known.get("secret") or known["public_key_hex"]])
    body, now = known["body"].encode(), sent_at(known, timestamp_header)
    assert verifier.accepts(known["headers"], body, now)
    assert not verifier.accepts(known["headers"], body + b" ", now)
    for header in known["headers"]:
        if header != "webhook-id":
            changed = {**known["headers"], header: known["headers"][header][:-1] + "~"}
            assert not verifier.accepts(changed, body, now), header


def test_the_published_tampered_delivery_is_refused() -> None:
    known = known_answer("signatures/slack_v0_tampered.json")
    now = sent_at(known, "x-slack-request-timestamp")
    assert not SLACK.verifier([known["secret"]]).accepts(known["headers"], known["body"].encode(), now)


def test_the_ed25519_of_the_rfc_is_accepted() -> None:
    known = known_answer("signatures/ed25519_rfc8032_test2.json")
    verifier = DISCORD.verifier([known["public_key_hex"]])
    headers = {"x-signature-ed25519": known["signature_hex"], "x-signature-timestamp": ""}
    message = bytes.fromhex(known["message_hex"])
    assert verifier.accepts(headers, message, NOW)
    assert not verifier.accepts(headers, message + b"r", NOW)


def test_a_real_signature_with_another_secret_is_refused() -> None:
    known = known_answer("discourse/post_created_with_headers.json")
    assert not DISCOURSE.verifier(["a secret of ours"]).accepts(
        known["headers"], json.dumps(known["body"]).encode(), NOW
    )


SECRET = "an own secret"
DIGEST = hmac.digest(SECRET.encode(), BODY, hashlib.sha256)
OWN_ANSWERS = [
    pytest.param(META, {"x-hub-signature-256": f"sha256={DIGEST.hex()}"}, id="Meta"),
    pytest.param(X, {"x-twitter-webhooks-signature": f"sha256={base64.b64encode(DIGEST).decode()}"}, id="X"),
    pytest.param(DISCOURSE, {"x-discourse-event-signature": f"sha256={DIGEST.hex()}"}, id="Discourse"),
    pytest.param(LINKEDIN, {"x-li-signature": DIGEST.hex()}, id="LinkedIn, bare"),
    pytest.param(LINKEDIN, {"x-li-signature": f"hmacsha256={DIGEST.hex()}"}, id="LinkedIn, prefix in the header"),
    pytest.param(
        LINKEDIN,
        {"x-li-signature": hmac.digest(SECRET.encode(), b"hmacsha256=" + BODY, hashlib.sha256).hex()},
        id="LinkedIn, prefix signed",
    ),
]


@pytest.mark.parametrize(("scheme", "headers"), OWN_ANSWERS)
def test_a_body_is_accepted_by_each_live_secret_and_no_other(scheme: Scheme, headers: dict[str, str]) -> None:
    assert scheme.verifier([SECRET]).accepts(headers, BODY, NOW)
    assert scheme.verifier(["the newer one", SECRET]).accepts(headers, BODY, NOW)
    assert not scheme.verifier(["the newer one"]).accepts(headers, BODY, NOW)
    assert not scheme.verifier([SECRET]).accepts(headers, BODY + b" ", NOW)
    assert not scheme.verifier([SECRET]).accepts({}, BODY, NOW)


@pytest.mark.parametrize(
    ("scheme", "header", "prefix"),
    [(TELEGRAM, "x-telegram-bot-api-secret-token", ""), (BEARER, "authorization", "Bearer ")],
)
def test_a_shared_token_is_accepted_whole_or_not_at_all(scheme: Scheme, header: str, prefix: str) -> None:
    verifier = scheme.verifier([SECRET, "the older one"])
    assert verifier.accepts({header: prefix + SECRET}, BODY, NOW)
    assert verifier.accepts({header: f"{prefix}the older one"}, BODY, NOW)
    for wrong in (prefix, prefix + SECRET[:-1], prefix + SECRET + "x", f"x{prefix}{SECRET}"):
        assert not verifier.accepts({header: wrong}, BODY, NOW)


def test_slack_refuses_what_is_old() -> None:
    timestamp = str(int(NOW.timestamp()))
    signed = hmac.digest(SECRET.encode(), f"v0:{timestamp}:".encode() + BODY, hashlib.sha256).hex()
    headers = {"x-slack-request-timestamp": timestamp, "x-slack-signature": f"v0={signed}"}
    verifier = SLACK.verifier([SECRET])
    assert verifier.accepts(headers, BODY, NOW + timedelta(seconds=TOLERANCE_SECONDS))
    assert not verifier.accepts(headers, BODY, NOW + timedelta(seconds=TOLERANCE_SECONDS + 1))


def test_discord_accepts_two_keys_and_no_third() -> None:
    keys = [Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in range(3)]
    verifier = DISCORD.verifier([key.public_key().public_bytes_raw().hex() for key in keys[:2]])
    accepted = [
        verifier.accepts(
            {"x-signature-timestamp": "1795338000", "x-signature-ed25519": key.sign(b"1795338000" + BODY).hex()},
            BODY,
            NOW,
        )
        for key in keys
    ]
    assert accepted == [True, True, False]


@pytest.mark.parametrize(
    ("scheme", "secret", "said"),
    [(DISCORD, "not hex", "64 hexadecimal"), (DISCORD, "ab", "64 hexadecimal"), (META, "", "empty")],
)
def test_an_unusable_key_is_explained(scheme: Scheme, secret: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        scheme.verifier([secret])


VERIFIERS = [
    *(scheme.verifier([SECRET]) for scheme in (META, X, SLACK, TELEGRAM, DISCOURSE, LINKEDIN, BEARER)),
    DISCORD.verifier([Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key().public_bytes_raw().hex()]),
    STANDARD_WEBHOOKS.verifier([base64.b64encode(OLD_KEY).decode()]),
]
HEADERS = [
    "webhook-id", "webhook-timestamp", "webhook-signature", "x-hub-signature-256", "x-twitter-webhooks-signature",
    "x-slack-signature", "x-slack-request-timestamp", "x-signature-ed25519", "x-signature-timestamp",
    "x-telegram-bot-api-secret-token", "x-discourse-event-signature", "x-li-signature", "authorization",
]  # fmt: skip
VALUES = (
    st.text()
    | st.text("0123456789abcdef", min_size=120, max_size=130)
    | st.integers().map(str)
    | st.integers(-400, 400).map(lambda seconds: str(int(NOW.timestamp()) + seconds))
    | st.binary().map(lambda each: "sha256=" + base64.b64encode(each).decode())
)


@settings(max_examples=INPUTS)
@given(headers=st.dictionaries(st.sampled_from(HEADERS), VALUES), body=st.binary())
def test_nothing_that_is_sent_raises_or_is_accepted(headers: dict[str, str], body: bytes) -> None:
    assert not any(verifier.accepts(headers, body, NOW) for verifier in VERIFIERS)


def test_an_own_known_answer_computed_by_another_program() -> None:
    # printf 'msg_1.1795338000.{}' | openssl dgst -sha256 -hmac nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn -binary | base64
    assert sign(NEW_KEY, b"msg_1.1795338000.{}") == b"v1,bEFYHJnud9klfk7B7Htw/2z7SnBZgNofQaflWrC64oE="


@pytest.mark.parametrize("key", [OLD_KEY, NEW_KEY])
def test_both_live_secrets_are_accepted(key: bytes) -> None:
    assert verifier_of(OLD_KEY, NEW_KEY).accepts(signed_headers(key), BODY, NOW)


def test_one_good_signature_among_several_is_enough() -> None:
    headers = signed_headers(NEW_KEY)
    headers["webhook-signature"] = (
        f"v1a,xyz {signed_headers(OLD_KEY)['webhook-signature']} " + (headers["webhook-signature"])
    )
    assert verifier_of(NEW_KEY).accepts(headers, BODY, NOW)


@pytest.mark.parametrize("seconds", [-TOLERANCE_SECONDS, TOLERANCE_SECONDS])
def test_a_clock_within_the_tolerance_is_accepted(seconds: int) -> None:
    headers = signed_headers(NEW_KEY, at=NOW + timedelta(seconds=seconds))
    assert verifier_of(NEW_KEY).accepts(headers, BODY, NOW)


@pytest.mark.parametrize("seconds", [-TOLERANCE_SECONDS - 1, TOLERANCE_SECONDS + 1])
def test_a_clock_beyond_the_tolerance_is_refused(seconds: int) -> None:
    headers = signed_headers(NEW_KEY, at=NOW + timedelta(seconds=seconds))
    assert not verifier_of(NEW_KEY).accepts(headers, BODY, NOW)


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("webhook-id", "msg_2"),
        ("webhook-id", ""),
        ("webhook-id", "\u00e9"),
        ("webhook-timestamp", ""),
        ("webhook-timestamp", "-1"),
        ("webhook-timestamp", "\u0661\u0667"),
        ("webhook-timestamp", "9" * 400),
        ("webhook-timestamp", "1e9"),
        ("webhook-signature", ""),
        ("webhook-signature", "v1,"),
        ("webhook-signature", "\udcff" * 9),
    ],
)
def test_a_changed_header_is_refused(header: str, value: str) -> None:
    headers = {**signed_headers(NEW_KEY), header: value}
    assert not verifier_of(NEW_KEY).accepts(headers, BODY, NOW)


def test_a_changed_body_and_a_missing_header_are_refused() -> None:
    verifier, headers = verifier_of(NEW_KEY), signed_headers(NEW_KEY)
    assert not verifier.accepts(headers, BODY + b"\n", NOW)
    assert not verifier.accepts({}, BODY, NOW)


@pytest.mark.parametrize("secret", ["whsec_", "whsec_c2hvcnQ=", "whsec_not base64", "schlüssel"])
def test_an_unusable_secret_is_named_without_being_shown(secret: str) -> None:
    with pytest.raises(ValueError, match="the webhook secret") as caught:
        read_secret(secret)
    assert secret.removeprefix("whsec_") == "" or secret not in str(caught.value)
