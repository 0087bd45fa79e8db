"""Who may deliver: the Standard Webhooks scheme, against published and own known answers."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from services.ingest.signatures import TOLERANCE_SECONDS, Verifier, read_secret, sign

KNOWN_ANSWER = Path(__file__).parents[4] / "shared/fixtures/signatures/standard_webhooks_v1_kat.json"
NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
OLD_KEY, NEW_KEY = b"o" * 32, b"n" * 32
BODY = '{"text": "perché?"}'.encode()


def signed_headers(key: bytes, body: bytes = BODY, at: datetime = NOW) -> dict[str, str]:
    timestamp = str(int(at.timestamp()))
    signature = sign(key, f"msg_1.{timestamp}.".encode() + body).decode()
    return {"webhook-id": "msg_1", "webhook-timestamp": timestamp, "webhook-signature": signature}


def test_the_published_known_answer_is_accepted() -> None:
    if not KNOWN_ANSWER.exists():
        pytest.skip(f"{KNOWN_ANSWER.name} is not on this machine")
    known = json.loads(KNOWN_ANSWER.read_text())
    now = datetime.fromtimestamp(int(known["headers"]["webhook-timestamp"]), UTC)
    verifier = Verifier([read_secret(known["secret"])])
    assert verifier.accepts(known["headers"], known["body"].encode(), now)
    assert not verifier.accepts(known["headers"], known["body"].encode() + b" ", now)


def test_an_own_known_answer_computed_by_another_program() -> None:
    # printf 'msg_1.1795338000.{}' | openssl dgst -sha256 -hmac nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn -binary | base64
    assert sign(NEW_KEY, b"msg_1.1795338000.{}") == b"v1,bEFYHJnud9klfk7B7Htw/2z7SnBZgNofQaflWrC64oE="


@pytest.mark.parametrize("key", [OLD_KEY, NEW_KEY])
def test_both_live_secrets_are_accepted(key: bytes) -> None:
    assert Verifier([OLD_KEY, NEW_KEY]).accepts(signed_headers(key), BODY, NOW)


def test_one_good_signature_among_several_is_enough() -> None:
    headers = signed_headers(NEW_KEY)
    headers["webhook-signature"] = (
        f"v1a,xyz {signed_headers(OLD_KEY)['webhook-signature']} " + (headers["webhook-signature"])
    )
    assert Verifier([NEW_KEY]).accepts(headers, BODY, NOW)


@pytest.mark.parametrize("seconds", [-TOLERANCE_SECONDS, TOLERANCE_SECONDS])
def test_a_clock_within_the_tolerance_is_accepted(seconds: int) -> None:
    headers = signed_headers(NEW_KEY, at=NOW + timedelta(seconds=seconds))
    assert Verifier([NEW_KEY]).accepts(headers, BODY, NOW)


@pytest.mark.parametrize("seconds", [-TOLERANCE_SECONDS - 1, TOLERANCE_SECONDS + 1])
def test_a_clock_beyond_the_tolerance_is_refused(seconds: int) -> None:
    headers = signed_headers(NEW_KEY, at=NOW + timedelta(seconds=seconds))
    assert not Verifier([NEW_KEY]).accepts(headers, BODY, NOW)


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
    assert not Verifier([NEW_KEY]).accepts(headers, BODY, NOW)


def test_a_changed_body_and_a_missing_header_are_refused() -> None:
    verifier, headers = Verifier([NEW_KEY]), signed_headers(NEW_KEY)
    assert not verifier.accepts(headers, BODY + b"\n", NOW)
    assert not verifier.accepts({}, BODY, NOW)


@pytest.mark.parametrize("secret", ["whsec_", "whsec_c2hvcnQ=", "whsec_not base64", "schlüssel"])
def test_an_unusable_secret_is_named_without_being_shown(secret: str) -> None:
    with pytest.raises(ValueError, match="the webhook secret") as caught:
        read_secret(secret)
    assert secret.removeprefix("whsec_") == "" or secret not in str(caught.value)
