"""Principals, their roles, which issuers are trusted, and which keys of a set may be used."""

import grpc
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from pydantic import ValidationError

from chassis.api_errors import ApiError
from chassis.auth import AuthSettings, Principal, acting_as, current_principal, require
from chassis.auth.keys import IssuerMisbehavedError, usable_keys
from chassis.auth.memory import TokenMemory, Verified

ADA = Principal("ada", "acme", frozenset({"agent", "approver"}))


def test_one_of_the_wanted_roles_is_enough() -> None:
    with acting_as(ADA):
        assert require("admin", "approver") is ADA


def test_a_missing_role_is_named_with_who_can_help() -> None:
    with acting_as(ADA), pytest.raises(ApiError) as caught:
        require("product", "admin")
    assert caught.value.status is grpc.StatusCode.PERMISSION_DENIED
    assert "needs the role product or admin" in caught.value.message


def test_without_a_principal_nothing_is_allowed() -> None:
    with pytest.raises(ApiError, match="TOKEN_MISSING"):
        current_principal()


def test_a_principal_ends_with_its_block() -> None:
    with acting_as(ADA), acting_as(Principal("bob", "acme", frozenset())):
        assert current_principal().subject == "bob"
    with pytest.raises(ApiError):
        current_principal()


def test_a_verified_token_is_remembered_until_it_expires() -> None:
    now = [100.0]
    memory = TokenMemory(now=lambda: now[0])
    key = jwt.PyJWK.from_dict(_ec(ec.SECP256R1()))
    memory.remember("token", Verified(key, expires_at=200.0, principal=ADA))
    assert [memory.recall(token) is not None for token in ("token", "another")] == [True, False]
    now[0] = 200.0
    assert memory.recall("token") is None


@pytest.mark.parametrize(
    ("profile", "issuer", "accepted"),
    [
        ("production", "https://login.example/realms/a", True),
        ("production", "http://127.0.0.1:9000", False),
        ("local", "http://127.0.0.1:9000", True),
        ("local", "http://login.example", False),
        ("local", "http://127.0.0.1.evil.example", False),
        ("local", "file:///etc/keys", False),
        ("production", "https://", False),
    ],
)
def test_plain_http_issuers_are_local_only(profile: str, issuer: str, accepted: bool) -> None:  # noqa: FBT001
    if accepted:
        assert AuthSettings.model_validate({"profile": profile, "issuer": issuer}).issuer == issuer
    else:
        with pytest.raises(ValidationError, match="swapped on the way"):
            AuthSettings.model_validate({"profile": profile, "issuer": issuer})


def _rsa(bits: int) -> dict[str, object]:
    key = rsa.generate_private_key(65_537, bits).public_key()
    return dict(jwt.algorithms.RSAAlgorithm.to_jwk(key, as_dict=True))


def _ec(curve: ec.EllipticCurve) -> dict[str, object]:
    return dict(jwt.algorithms.ECAlgorithm.to_jwk(ec.generate_private_key(curve).public_key(), as_dict=True))


def test_only_strong_signature_keys_of_our_algorithms_are_used() -> None:
    entries: list[object] = [
        _rsa(2048) | {"kid": "rsa"},
        _ec(ec.SECP256R1()) | {"kid": "ec", "use": "sig"},
        _rsa(1024) | {"kid": "short"},
        _ec(ec.SECP384R1()) | {"kid": "other-curve"},
        _rsa(2048) | {"kid": "for-encryption", "use": "enc"},
        {"kty": "oct", "k": "c2VjcmV0", "kid": "symmetric"},
        {"kty": "RSA", "kid": "broken"},
        _rsa(2048),
        "no key",
    ]
    assert set(usable_keys({"keys": entries})) == {"rsa", "ec"}


def test_a_key_set_without_keys_is_refused() -> None:
    with pytest.raises(IssuerMisbehavedError, match="no list of keys"):
        usable_keys({"error": "not here"})
