"""The issuer's public keys: discovered, cached, and fetched again when a new one turns up, though never too often."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx
import jwt
import structlog
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from chassis.api_errors import ChassisReason, unavailable
from chassis.auth.settings import AuthSettings

ALGORITHMS = ("RS256", "ES256")

_MAXIMUM_DOCUMENT_BYTES = 256 * 1024
_MINIMUM_RSA_BITS = 2048
_KEYS_DIE_AFTER_SECONDS = 86_400.0
_AWAY = (httpx.HTTPError, httpx.InvalidURL, OSError)
"""How calls to the issuer fail; an OSError that left here would look like PostgreSQL being away."""

_log = structlog.get_logger(__name__)


class IssuerMisbehavedError(Exception):
    """The issuer's documents are not what OIDC discovery promises."""


class SigningKeys:
    """Verification keys by `kid`.

    A known key answers at once, and is refreshed behind the caller's back when it is older than its lifetime, so a
    withdrawn key stops working. An unknown `kid` waits for one fetch, shared by all that wait; fetches start at most
    every `keys_refetch_seconds`, so that a flood of invented ids does not reach the issuer.
    """

    def __init__(self, settings: AuthSettings, *, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._monotonic = monotonic
        self._keys: Mapping[str, jwt.PyJWK] = {}
        self._fetched_at = float("-inf")
        self._attempted_at = float("-inf")
        self._refreshing: asyncio.Task[None] | None = None

    async def find(self, key_id: str) -> jwt.PyJWK | None:
        """The key named `key_id`, or None where the issuer has none of that name.

        Raises ApiError UNAVAILABLE while no keys could be fetched.
        """
        key = self._usable_keys().get(key_id)
        if key is None:
            await self._refresh()
            key = self._usable_keys().get(key_id)
        elif self._age_seconds() > self._settings.keys_lifetime_seconds:
            self._start_refresh()
        if key is None and not self._usable_keys():
            raise _issuer_unavailable(self._settings.keys_refetch_seconds)
        return key

    def _usable_keys(self) -> Mapping[str, jwt.PyJWK]:
        return self._keys if self._age_seconds() < _KEYS_DIE_AFTER_SECONDS else {}

    def _age_seconds(self) -> float:
        return self._monotonic() - self._fetched_at

    async def _refresh(self) -> None:
        self._start_refresh()
        if self._refreshing is not None:
            await asyncio.shield(self._refreshing)

    def _start_refresh(self) -> None:
        if self._refreshing is not None and not self._refreshing.done():
            return
        self._refreshing = None
        if self._monotonic() - self._attempted_at >= self._settings.keys_refetch_seconds:
            self._attempted_at = self._monotonic()
            self._refreshing = asyncio.create_task(self._fetch(), name="fetch-issuer-keys")

    async def _fetch(self) -> None:
        try:
            keys = await fetch_keys(self._settings)
        except (*_AWAY, IssuerMisbehavedError) as error:
            _log.warning("issuer_keys_not_fetched", issuer=self._settings.issuer, error=repr(error))
            return
        self._keys, self._fetched_at = keys, self._monotonic()
        _log.info("issuer_keys_fetched", issuer=self._settings.issuer, key_ids=sorted(keys))


async def fetch_keys(settings: AuthSettings) -> Mapping[str, jwt.PyJWK]:
    """Signing keys of the issuer, through its discovery document; raises one of `_AWAY` or IssuerMisbehavedError."""
    async with (
        asyncio.timeout(settings.fetch_timeout_seconds),
        httpx.AsyncClient(timeout=settings.fetch_timeout_seconds, trust_env=settings.profile != "local") as http,
    ):
        discovery = await _get_json(http, settings.issuer.rstrip("/") + "/.well-known/openid-configuration")
        if discovery.get("issuer") != settings.issuer:
            message = f"its discovery document names another issuer: {discovery.get('issuer')!r}"
            raise IssuerMisbehavedError(message)
        keys_url = discovery.get("jwks_uri")
        if not isinstance(keys_url, str) or not settings.accepts_url(keys_url):
            message = f"its jwks_uri is not an https URL: {keys_url!r}"
            raise IssuerMisbehavedError(message)
        return usable_keys(await _get_json(http, keys_url))


def usable_keys(document: Mapping[str, Any]) -> Mapping[str, jwt.PyJWK]:
    """The keys of a JWK set that may verify our tokens; others in the set are left aside, as RFC 7517 asks."""
    entries = document.get("keys")
    if not isinstance(entries, list):
        message = "its key set holds no list of keys"
        raise IssuerMisbehavedError(message)
    found = (_usable_key(entry) for entry in entries if isinstance(entry, dict))
    return {key.key_id: key for key in found if key is not None and key.key_id}


def _usable_key(entry: dict[str, Any]) -> jwt.PyJWK | None:
    if entry.get("use", "sig") != "sig":
        return None
    try:
        key = jwt.PyJWK.from_dict(entry)
    except (jwt.PyJWTError, ValueError, TypeError, KeyError):
        return None
    strong = (isinstance(key.key, RSAPublicKey) and key.key.key_size >= _MINIMUM_RSA_BITS) or isinstance(
        key.key, EllipticCurvePublicKey
    )
    return key if strong and key.algorithm_name in ALGORITHMS else None


async def _get_json(http: httpx.AsyncClient, url: str) -> Mapping[str, Any]:
    async with http.stream("GET", url, headers={"accept": "application/json"}) as response:
        response.raise_for_status()
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > _MAXIMUM_DOCUMENT_BYTES:
                message = f"{url} answers with more than {_MAXIMUM_DOCUMENT_BYTES} bytes"
                raise IssuerMisbehavedError(message)
    try:
        document = httpx.Response(200, content=bytes(body)).json()
    except ValueError:
        document = None
    if not isinstance(document, dict):
        message = f"{url} does not answer with a JSON object"
        raise IssuerMisbehavedError(message)
    return document


def _issuer_unavailable(retry_after_seconds: float) -> Exception:
    return unavailable(
        ChassisReason.ISSUER_UNAVAILABLE,
        "Tokens cannot be verified at the moment, because the issuer's keys cannot be fetched: try again shortly.",
        retry_after_seconds=max(retry_after_seconds, 1.0),
    )
