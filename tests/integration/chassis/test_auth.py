"""Tokens against the keys of a real issuer over HTTP: what is accepted, what is refused and why."""

import asyncio
import base64
import hashlib
import hmac
import json
import socket
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from structlog.testing import capture_logs

from chassis.api_errors import ApiError
from chassis.auth import Authenticator, AuthSettings, Principal
from chassis.dev_issuer import DevIssuer, DevIssuerSettings
from chassis.http_server import HttpSettings, serve_http

pytestmark = pytest.mark.integration


@pytest.fixture
async def issuer() -> AsyncIterator[DevIssuer]:
    async with DevIssuer(DevIssuerSettings(profile="local")) as issuer:
        yield issuer


def authenticator_of(url: str, **settings: Any) -> Authenticator:
    return Authenticator(AuthSettings(profile="local", issuer=url, **({"keys_refetch_seconds": 0} | settings)))


async def refusal(authenticator: Authenticator, token: str) -> tuple[str, str]:
    with pytest.raises(ApiError) as caught:
        await authenticator.authenticate(f"Bearer {token}")
    return caught.value.reason, caught.value.message


def handmade(header: dict[str, Any], claims: dict[str, Any], key: bytes | None) -> str:
    signed = ".".join(_base64url(json.dumps(part).encode()) for part in (header, claims))
    signature = hmac.digest(key, signed.encode(), hashlib.sha256) if key else b""
    return f"{signed}.{_base64url(signature)}"


def _base64url(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


async def test_a_token_of_the_issuer_is_a_principal(issuer: DevIssuer) -> None:
    token = issuer.mint("ada", "acme", ["approver", "agent"])
    principal = await authenticator_of(issuer.url).authenticate(f"bearer {token}")
    assert principal == Principal("ada", "acme", frozenset({"agent", "approver"}))


@pytest.mark.parametrize(
    ("claims", "reason", "words"),
    [
        ({"exp": int(time.time()) - 60}, "TOKEN_EXPIRED", "sign in again"),
        ({"aud": "another"}, "TOKEN_INVALID", "audience ascolto"),
        ({"iss": "https://elsewhere.example"}, "TOKEN_INVALID", "does not come from"),
        ({"nbf": int(time.time()) + 86_400}, "TOKEN_INVALID", "not valid yet"),
        ({"exp": None}, "TOKEN_INVALID", "lacks the claim exp"),
        ({"sub": ""}, "TOKEN_INVALID", "claim sub"),
        ({"tenant": "../acme"}, "TOKEN_INVALID", "claim tenant"),
        ({"tenant": None}, "TOKEN_INVALID", "claim tenant"),
        ({"roles": "admin"}, "TOKEN_INVALID", "claim roles"),
    ],
)
async def test_wrong_claims_are_refused(issuer: DevIssuer, claims: dict[str, Any], reason: str, words: str) -> None:
    given = await refusal(authenticator_of(issuer.url), issuer.mint("ada", "acme", [], claims=claims))
    assert given[0] == reason
    assert words in given[1]


async def test_clocks_may_differ_by_the_leeway_and_no_more(issuer: DevIssuer) -> None:
    token = issuer.mint("ada", "acme", [], lifetime_seconds=-10)
    await authenticator_of(issuer.url, leeway_seconds=30).authenticate(f"Bearer {token}")
    assert (await refusal(authenticator_of(issuer.url, leeway_seconds=1), token))[0] == "TOKEN_EXPIRED"


async def test_an_unsigned_token_is_refused(issuer: DevIssuer) -> None:
    good = issuer.mint("ada", "acme", ["admin"])
    header = jwt.get_unverified_header(good) | {"alg": "none"}
    token = handmade(header, jwt.decode(good, options={"verify_signature": False}), None)
    assert "another algorithm" in (await refusal(authenticator_of(issuer.url), token))[1]


@pytest.mark.parametrize("claimed", ["HS256", "ES256"])
async def test_the_public_key_is_no_secret_to_sign_with(issuer: DevIssuer, claimed: str) -> None:
    good = issuer.mint("ada", "acme", ["admin"])
    public = issuer._keys[issuer._key_id].public_key()
    pem = public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    header = jwt.get_unverified_header(good) | {"alg": claimed}
    token = handmade(header, jwt.decode(good, options={"verify_signature": False}), pem)
    assert (await refusal(authenticator_of(issuer.url), token))[0] == "TOKEN_INVALID"


async def test_a_strangers_signature_under_a_known_key_id_is_refused(issuer: DevIssuer) -> None:
    good = issuer.mint("ada", "acme", ["admin"])
    claims = jwt.decode(good, options={"verify_signature": False})
    kid = jwt.get_unverified_header(good)["kid"]
    for algorithm, key in (
        ("ES256", ec.generate_private_key(ec.SECP256R1())),
        ("RS256", rsa.generate_private_key(65_537, 2048)),
    ):
        token = jwt.encode(claims, key, algorithm=algorithm, headers={"kid": kid})
        assert (await refusal(authenticator_of(issuer.url), token))[0] == "TOKEN_INVALID"


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "é" * 10, "." * 3, "x" * 20_000])
async def test_what_is_no_token_is_refused(issuer: DevIssuer, token: str) -> None:
    assert (await refusal(authenticator_of(issuer.url), token))[0] == "TOKEN_INVALID"


@pytest.mark.parametrize("authorization", [None, "", "Basic YTpi", "Bearer"])
async def test_a_missing_token_is_asked_for(issuer: DevIssuer, authorization: str | None) -> None:
    with pytest.raises(ApiError, match="TOKEN_MISSING: Send `authorization: Bearer <token>`"):
        await authenticator_of(issuer.url).authenticate(authorization)


async def test_a_new_key_is_found_and_a_withdrawn_one_dies(issuer: DevIssuer) -> None:
    authenticator = authenticator_of(issuer.url)
    old = issuer.mint("ada", "acme", [])
    await authenticator.authenticate(f"Bearer {old}")
    issuer.rotate(keep_old=False)
    await authenticator.authenticate(f"Bearer {issuer.mint('ada', 'acme', [])}")
    assert "not one of the issuer's" in (await refusal(authenticator, old))[1]


async def test_a_token_that_was_accepted_is_refused_once_it_expires(issuer: DevIssuer) -> None:
    authenticator = authenticator_of(issuer.url, leeway_seconds=0)
    token = issuer.mint("ada", "acme", [], lifetime_seconds=4)
    await authenticator.authenticate(f"Bearer {token}")
    async with asyncio.timeout(15):
        while await accepts(authenticator, token):  # noqa: ASYNC110 - polls to a deadline
            await asyncio.sleep(0.02)
    assert (await refusal(authenticator, token))[0] == "TOKEN_EXPIRED"


async def accepts(authenticator: Authenticator, token: str) -> bool:
    try:
        await authenticator.authenticate(f"Bearer {token}")
    except ApiError:
        return False
    return True


async def test_a_remembered_token_dies_when_its_key_id_gets_another_key(issuer: DevIssuer) -> None:
    authenticator = authenticator_of(issuer.url, keys_lifetime_seconds=0.001)
    token = issuer.mint("ada", "acme", [])
    await authenticator.authenticate(f"Bearer {token}")
    issuer._keys[issuer._key_id] = ec.generate_private_key(ec.SECP256R1())
    async with asyncio.timeout(15):
        while await accepts(authenticator, token):  # noqa: ASYNC110 - polls to a deadline
            await asyncio.sleep(0.02)
    assert "signature" in (await refusal(authenticator, token))[1]


async def test_a_flood_of_invented_key_ids_reaches_the_issuer_once(issuer: DevIssuer) -> None:
    authenticator = authenticator_of(issuer.url, keys_refetch_seconds=60)
    with capture_logs() as lines:
        for number in range(50):
            header = {"alg": "ES256", "kid": f"invented-{number}"}
            await refusal(authenticator, handmade(header, {}, b"key"))
        await authenticator.authenticate(f"Bearer {issuer.mint('ada', 'acme', [])}")
    assert [line["event"] for line in lines].count("issuer_keys_fetched") == 1


async def test_an_issuer_that_is_away_at_the_start_is_found_when_it_comes() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    authenticator = authenticator_of(f"http://127.0.0.1:{port}")
    early = handmade({"alg": "ES256", "kid": "any"}, {}, b"key")
    assert (await refusal(authenticator, early))[0] == "ISSUER_UNAVAILABLE"
    async with DevIssuer(DevIssuerSettings(profile="local", port=port)) as issuer:
        assert (await authenticator.authenticate(f"Bearer {issuer.mint('ada', 'acme', [])}")).subject == "ada"


async def test_an_issuer_that_swallows_every_packet_is_away() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        authenticator = authenticator_of(f"http://127.0.0.1:{silent.getsockname()[1]}", fetch_timeout_seconds=0.05)
        token = handmade({"alg": "ES256", "kid": "any"}, {}, b"key")
        assert (await refusal(authenticator, token))[0] == "ISSUER_UNAVAILABLE"


async def test_known_keys_outlast_an_issuer_that_goes_away() -> None:
    async with DevIssuer(DevIssuerSettings(profile="local")) as issuer:
        authenticator = authenticator_of(issuer.url, keys_lifetime_seconds=0.001)
        await authenticator.authenticate(f"Bearer {issuer.mint('ada', 'acme', [])}")
    assert (await authenticator.authenticate(f"Bearer {issuer.mint('ada', 'acme', [])}")).subject == "ada"


@asynccontextmanager
async def front_of(issuer: DevIssuer, discovery: Any) -> AsyncIterator[str]:
    """An issuer with the keys of `issuer` and a discovery document that differs from a good one by `discovery`."""

    async def answer(request: Request) -> JSONResponse:
        good = {"issuer": "http://127.0.0.1:{port}", "jwks_uri": "http://127.0.0.1:{port}/keys"}
        document = json.dumps(good | discovery if isinstance(discovery, dict) else discovery)
        return JSONResponse(json.loads(document.replace("{port}", str(request.url.port))))

    routes = [Route("/.well-known/openid-configuration", answer), Route("/keys", issuer._key_set)]
    async with serve_http(Starlette(routes=routes), HttpSettings(port=0)) as server:
        yield f"http://127.0.0.1:{server.port}"


async def test_the_keys_are_those_that_the_discovery_document_names(issuer: DevIssuer) -> None:
    async with front_of(issuer, {"jwks_uri": "http://localhost:{port}/keys"}) as url:
        token = issuer.mint("ada", "acme", [], claims={"iss": url})
        assert (await authenticator_of(url).authenticate(f"Bearer {token}")).subject == "ada"


@pytest.mark.parametrize(
    "discovery",
    [
        {"issuer": "https://elsewhere.example"},
        {"jwks_uri": "http://0.0.0.0:{port}/keys"},
        {"jwks_uri": "https://keys.example:port/"},
        {"jwks_uri": "https://[keys.example/"},
        {"jwks_uri": None},
        [],
    ],
)
async def test_a_discovery_document_that_misleads_is_not_followed(issuer: DevIssuer, discovery: Any) -> None:
    async with front_of(issuer, discovery) as url:
        token = issuer.mint("ada", "acme", [], claims={"iss": url})
        assert (await refusal(authenticator_of(url), token))[0] == "ISSUER_UNAVAILABLE"
