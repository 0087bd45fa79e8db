"""APIs that are asked with a bearer token: a fixed one, or one that OAuth 2 gives and that must be asked for anew.

The secret of the integration is the token, or a JSON object: `{"client_id", "client_secret", "refresh_token"}` (as
Google's and Reddit's consoles give them), or the key file of a Google service account. Option: `token_url`, where
tokens come from another place than usual.
"""

import asyncio
import base64
from collections.abc import Awaitable, Mapping
from typing import Final
from urllib.parse import urlencode

import jwt

from chassis.outbound import Answer
from services.ingest.fetching.api import Api, json_object
from services.ingest.fetching.coverage import Reason
from services.ingest.fetching.source import Connection, FetchFailed, InvalidConnection, Tools
from services.ingest.payload import Node, read_json

_JWT_GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_JWT_SECONDS: Final = 3600
_EARLY_SECONDS: Final = 60.0
_DEFAULT_LIFE_SECONDS: Final = 3600
_REFUSED: Final = 400
_FORM: Final = {"content-type": "application/x-www-form-urlencoded"}


class OAuthApi:
    """An `Api` that shows a token, and asks for another one before it ends."""

    def __init__(  # noqa: PLR0913 - what differs from network to network
        self,
        connection: Connection,
        tools: Tools,
        *,
        token_url: str,
        scope: str = "",
        headers: Mapping[str, str] | None = None,
        client_in_form: bool = False,
    ) -> None:
        if not connection.secret:
            raise InvalidConnection(f"{connection.integration}: {connection.network} needs a token as secret")
        self._api = Api(tools.http, tools.clock, headers)
        self._clock = tools.clock
        self._credentials = read_json(connection.secret.encode()) or Node()
        self._token_url = connection.options.get("token_url", token_url)
        self._scope = scope
        self._client_in_form = client_in_form
        self._fixed = not self._credentials.is_object()
        self._token = connection.secret if self._fixed else ""
        self._ends_at = float("inf") if self._fixed else 0.0

    async def get(self, url: str, params: Mapping[str, str] | None = None) -> Answer:
        """GET with a token; raises `FetchFailed`."""
        return await self._watched(self._api.get(url, params, await self.authorization()))

    async def post(self, url: str, content: bytes, headers: Mapping[str, str]) -> Answer:
        """POST with a token; raises `FetchFailed`."""
        return await self._watched(self._api.post(url, content, {**headers, **await self.authorization()}))

    async def authorization(self) -> dict[str, str]:
        """The header that shows a token which has not ended; raises `FetchFailed`."""
        if asyncio.get_running_loop().time() >= self._ends_at:
            await self._renew()
        return {"authorization": f"Bearer {self._token}"}

    async def _watched(self, call: Awaitable[Answer]) -> Answer:
        try:
            return await call
        except FetchFailed as failed:
            if failed.reason is Reason.AUTH_FAILED and not self._fixed:
                self._ends_at = 0.0  # it may have been revoked: the next try asks for another one
            raise

    async def _renew(self) -> None:
        form, headers = self._jwt_grant() if self._credentials["private_key"] else self._refresh_grant()
        try:
            answer = await self._api.post(self._token_url, urlencode(form).encode(), {**_FORM, **headers})
        except FetchFailed as failed:
            if failed.status == _REFUSED:
                raise FetchFailed(Reason.AUTH_FAILED, "the credentials are refused", status=_REFUSED) from failed
            raise
        given = json_object(answer.body)
        token = given["access_token"].text()
        if token is None:
            raise FetchFailed(Reason.AUTH_FAILED, "the answer holds no access token")
        life_seconds = given["expires_in"].integer() or _DEFAULT_LIFE_SECONDS
        self._token = token
        self._ends_at = asyncio.get_running_loop().time() + life_seconds - _EARLY_SECONDS

    def _refresh_grant(self) -> tuple[dict[str, str], dict[str, str]]:
        names = ("client_id", "client_secret", "refresh_token")
        client_id, secret, refresh_token = (self._credentials[name].text() or "" for name in names)
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token}
        if self._client_in_form:
            return form | {"client_id": client_id, "client_secret": secret}, {}
        basic = base64.b64encode(f"{client_id}:{secret}".encode()).decode()
        return form, {"authorization": f"Basic {basic}"}

    def _jwt_grant(self) -> tuple[dict[str, str], dict[str, str]]:
        now = int(self._clock().timestamp())
        claims = {
            "iss": self._credentials["client_email"].text() or "",
            "scope": self._scope,
            "aud": self._token_url,
            "iat": now,
            "exp": now + _JWT_SECONDS,
        }
        try:
            assertion = jwt.encode(claims, self._credentials["private_key"].text() or "", algorithm="RS256")
        except (jwt.PyJWTError, ValueError) as error:
            raise FetchFailed(Reason.AUTH_FAILED, "the private key of the service account cannot be read") from error
        return {"grant_type": _JWT_GRANT, "assertion": assertion}, {}
