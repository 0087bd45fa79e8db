"""The development issuer: locked to the local profile and to this machine, and mints what its settings say."""

import os
import subprocess
import sys

import httpx
import jwt
import pytest
from pydantic import ValidationError

from chassis.dev_issuer import DevIssuer, DevIssuerSettings

pytestmark = pytest.mark.integration


@pytest.mark.parametrize("profile", ["production", ""])
def test_refuses_any_other_profile(profile: str) -> None:
    with pytest.raises(ValidationError, match=r"ASCOLTO_PROFILE|profile"):
        DevIssuerSettings(profile=profile)  # type: ignore[arg-type]


def test_the_process_exits_with_78_outside_the_local_profile() -> None:
    environment = {name: value for name, value in os.environ.items() if name != "ASCOLTO_PROFILE"}
    ended = subprocess.run(
        [sys.executable, "-m", "chassis.dev_issuer"], env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 78
    assert "ASCOLTO_PROFILE: is not set; give local" in ended.stderr


async def test_mints_over_http_what_its_keys_verify() -> None:
    async with DevIssuer(DevIssuerSettings(profile="local")) as issuer, httpx.AsyncClient() as http:
        wanted = {"subject": "ada", "tenant": "acme", "roles": ["agent"], "lifetime_seconds": 60}
        token = (await http.post(f"{issuer.url}/token", json=wanted)).json()["access_token"]
        keys = jwt.PyJWKSet.from_dict((await http.get(f"{issuer.url}/keys")).json())
        kid = jwt.get_unverified_header(token)["kid"]
        claims = jwt.decode(token, keys[kid], algorithms=["ES256"], audience="ascolto", issuer=issuer.url)
        assert (claims["sub"], claims["tenant"], claims["roles"]) == ("ada", "acme", ["agent"])
        assert claims["exp"] - claims["iat"] == 60


async def test_publishes_no_private_part_of_a_key() -> None:
    async with DevIssuer(DevIssuerSettings(profile="local")) as issuer, httpx.AsyncClient() as http:
        (key,) = (await http.get(f"{issuer.url}/keys")).json()["keys"]
        assert key.keys() == {"kty", "crv", "x", "y", "kid", "use", "alg"}


async def test_a_web_page_cannot_ask_it_for_tokens() -> None:
    body = '{"subject": "ada", "tenant": "acme"}'
    async with DevIssuer(DevIssuerSettings(profile="local")) as issuer, httpx.AsyncClient() as http:
        simple = await http.post(f"{issuer.url}/token", content=body, headers={"content-type": "text/plain"})
        rebound = await http.get(f"{issuer.url}/keys", headers={"host": "evil.example"})
        assert (simple.status_code, rebound.status_code) == (415, 400)


async def test_a_wrong_request_names_the_field() -> None:
    async with DevIssuer(DevIssuerSettings(profile="local")) as issuer, httpx.AsyncClient() as http:
        answer = await http.post(f"{issuer.url}/token", json={"subject": "ada"})
        assert answer.status_code == 422
        assert "tenant: Field required" in answer.json()["error_description"]
